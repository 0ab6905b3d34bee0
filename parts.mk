# Real parts that tests drive and that no Python package brings. Each is fetched once, into .cache/parts.
PARTS := .cache/parts

.PHONY: mongodb
mongodb: $(PARTS)/mongodb/.fetched ## A MongoDB server for tests; needs Java and Maven.

$(PARTS)/mongodb/.fetched: tests/support/parts/mongodb/pom.xml
	rm -rf $(@D)
	mvn -q -B -Dstyle.color=never -f $< dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(@D)
	touch $@
