# The images, without a container engine: buildah in a chroot, as root, on a base of Debian's packages.
IMAGES := .cache/images
comma := ,
BASE ?= localhost/extractor-base
BUILDAH := CONTAINERS_STORAGE_CONF=$(CURDIR)/$(IMAGES)/storage.conf TMPDIR=$(CURDIR)/$(IMAGES)/tmp buildah
# What a machine knows of its index and its certificates is lent to the build, and is not in the image.
BUNDLE := /etc/ssl/certs/ca-certificates.crt
INDEX := $(firstword $(UV_CONFIG_FILE) $(wildcard $(HOME)/.config/uv/uv.toml /etc/uv/uv.toml))
LEND := $(if $(SSL_CERT_FILE),--volume $(SSL_CERT_FILE):$(BUNDLE):ro --build-arg SSL_CERT_FILE=$(BUNDLE)) \
	$(if $(INDEX),--secret id=uv.toml$(comma)src=$(INDEX))

.PHONY: images
images: $(IMAGES)/runtime.built $(IMAGES)/operator.built ## Build the images of runtime and operator; needs buildah and mmdebstrap.

sources = $(foreach room,$(1),$(room)/pyproject.toml $(shell find $(room)/src -type f -not -name '*.pyc'))
$(IMAGES)/runtime.built: $(call sources,apis artifacts stores runtime)
$(IMAGES)/operator.built: $(call sources,apis artifacts sandbox operator)
$(IMAGES)/%.built: %/Dockerfile .dockerignore requirements/%.txt requirements/build.txt $(if $(filter localhost/%,$(BASE)),$(IMAGES)/base.built) \
		| $(IMAGES)/storage.conf .cache/uv/bin/uv
	$(BUILDAH) build --quiet --isolation chroot --layers --build-arg BASE=$(BASE) --build-context uv=$(CURDIR)/.cache/uv/bin $(LEND) \
		--label org.opencontainers.image.revision=$(shell git describe --always --dirty) --tag extractor-$* --file $< .
	$(BUILDAH) rmi --prune >/dev/null
	rm -rf $(IMAGES)/$*
	$(BUILDAH) push --quiet extractor-$* oci:$(IMAGES)/$*:latest
	touch $@

# Of this machine's mirrors, and of the Debian whose Python the platform runs.
$(IMAGES)/base.built: images.mk | $(IMAGES)/storage.conf
	apt-get indextargets --format 'deb $$(REPO_URI) $$(RELEASE) main' 'Origin: Debian' 'Created-By: Packages' \
		| sed -E 's/ [a-z]+(-[a-z]+)? main/ bookworm\1 main/' \
		| mmdebstrap --quiet --variant=apt --include=ca-certificates,python3,usr-is-merged,wget \
			--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr $(foreach unread,doc locale man,--dpkgopt='path-exclude=/usr/share/$(unread)/*') \
			--dpkgopt='path-include=/usr/share/doc/*/copyright' bookworm $(IMAGES)/base.tar -
	printf 'FROM scratch\nADD base.tar /\n' | $(BUILDAH) build --quiet --tag extractor-base --file - $(IMAGES)
	rm $(IMAGES)/base.tar
	touch $@

# Copying whole layers, as vfs does, works everywhere and takes twice as long.
$(IMAGES)/storage.conf:
	mkdir -p $(IMAGES)/tmp
	if buildah --root $(IMAGES)/probe --runroot $(IMAGES)/probe --storage-driver overlay info >/dev/null 2>&1; then driver=overlay; \
		else driver=vfs; fi; rm -rf $(IMAGES)/probe; \
		printf '[storage]\ndriver = "%s"\ngraphroot = "%s/storage"\nrunroot = "%s/run"\n' $$driver $(CURDIR)/$(IMAGES) $(CURDIR)/$(IMAGES) > $@
