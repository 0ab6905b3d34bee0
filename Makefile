# `make help` lists the targets. Everything is built into .venv and .cache; nothing else on the machine is touched.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
export UV_COMPILE_BYTECODE := 1
export UV_LINK_MODE ?= hardlink
# Some machines set it; Ray's start-up is twice as long when every worker compiles its imports again.
unexport PYTHONDONTWRITEBYTECODE

ROOMS := apis artifacts stores sandbox runtime cli
UV := $(shell command -v uv || echo .cache/uv/bin/uv)
LOCK := $(UV) pip compile -q --universal --generate-hashes --python-version 3.11 --no-header \
	$(foreach room,$(ROOMS),--no-emit-package extractor-$(room))

.PHONY: help
help: ## List the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

.cache/uv/bin/uv:
	$(PYTHON) -m venv .cache/uv && .cache/uv/bin/pip install -q uv

.PHONY: lock
lock: $(UV) ## Resolve every dependency again and write the hashed requirement files.
	$(LOCK) $(foreach room,$(ROOMS),$(room)/pyproject.toml) --extra local requirements/dev.in -o requirements/dev.txt
	$(LOCK) $(foreach room,$(ROOMS),$(room)/pyproject.toml) --extra local -c requirements/dev.txt -o requirements/local.txt
	$(LOCK) cli/pyproject.toml -c requirements/dev.txt -o requirements/lint.txt
	$(LOCK) requirements/peers.in -o requirements/peers.txt

.venv/bin/python:
	$(UV) venv -q --python $(PYTHON) .venv

# A marker per requirement set: `make lint` installs nothing of Ray, and a second `make` installs nothing at all.
.venv/.%.installed: requirements/%.txt $(foreach room,$(ROOMS),$(room)/pyproject.toml) | $(UV) .venv/bin/python
	$(UV) pip install -q --python .venv/bin/python --require-hashes -r requirements/$*.txt
	$(UV) pip install -q --python .venv/bin/python --no-deps $(foreach room,$(ROOMS),-e ./$(room))
	touch $@
