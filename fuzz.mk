# Coverage-guided fuzzing, in an environment of its own: atheris has no place in .venv.
FUZZ := .cache/fuzz
FUZZ_TARGETS ?= archive tar source manifest pt bin ckpt safetensors npy npz onnx gguf
FUZZ_SECONDS ?= 30

.PHONY: fuzz
fuzz: $(FUZZ)/.installed ## Fuzz every reader and the rules, FUZZ_SECONDS each; what breaks them is left in .cache/fuzz/found.
	for target in $(FUZZ_TARGETS); do \
		$(FUZZ)/bin/python -W ignore -m fuzz $$target $(FUZZ_SECONDS) 2>$(FUZZ)/$$target.log \
			|| { tail -n 40 $(FUZZ)/$$target.log; exit 1; }; \
	done

$(FUZZ)/.installed: requirements/fuzz.txt | $(UV)
	rm -rf $(FUZZ)/bin $(FUZZ)/lib
	$(UV) venv -q --allow-existing --python $(PYTHON) $(FUZZ)
	$(UV) pip install -q --python $(FUZZ)/bin/python --require-hashes -r requirements/fuzz.txt
	$(UV) pip install -q --python $(FUZZ)/bin/python --no-deps -e ./apis -e ./sandbox
	touch $@
