# The libraries that tests and benchmarks compare ours with, in an environment of their own: torch stays out of .venv.
PEERS := .cache/peers

.PHONY: peers
peers: $(PEERS)/.installed ## The libraries that tests compare with: torch and sentence-transformers, 6 GB.

$(PEERS)/.installed: requirements/peers.txt | $(UV)
	rm -rf $(PEERS)
	$(UV) venv -q --python $(PYTHON) $(PEERS)
	$(UV) pip install -q --python $(PEERS)/bin/python --require-hashes -r requirements/peers.txt
	touch $@
