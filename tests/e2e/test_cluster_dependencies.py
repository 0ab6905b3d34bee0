"""Versions with dependencies: an environment is made once, and both halves of the extractor import from it.

The API server and the operator are real, and so are the Jobs' and pods' processes; the package index is ours.
"""

from collections.abc import Iterator

import pytest

from support import kuberay_world, operators, package_index, word_bags
from support.kuberay_world import World, condition, make

pytestmark = pytest.mark.e2e

EXTRACTOR = "words"
TEXTS = {"tea": "a hot drink made of leaves", "coffee": "beans are roasted and ground"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in which a version serves, and is run, that needs a distribution which needs another one."""
    folder = tmp_path_factory.mktemp("dependencies")
    package_index.wheel(
        folder / "wheels", "alpha", requires=["beta"], files={"alpha/__init__.py": "import beta"}
    )
    package_index.wheel(folder / "wheels", "beta")
    with package_index.serve(folder / "wheels") as index:
        decided = {
            "packages": {"url": index.url},
            "defaults": {"scan": {"allowedDependencies": ["alpha"]}},
        }
        with kuberay_world.run(folder / "world", has_jobs=True, **decided) as world:
            source = world.source("texts", TEXTS)
            world.version(EXTRACTOR, "1.0.0", word_bags.depends_on("alpha"))
            world.apply(
                make("Extractor", EXTRACTOR, version="1.0.0", realtime={}),
                make("Collection", "texts", extractor=EXTRACTOR, version="1.0.0", source=source),
            )
            yield world
            assert "Traceback" not in world.operator.log
            assert "403" not in world.operator.log, "the Role that is shipped is too small"


def test_queries_and_runs_import_what_was_installed_for_the_version(world: World) -> None:
    extractor, collection = world.settled("Extractor", EXTRACTOR), world.settled("Collection", "texts")

    assert [operators.kstatus(each) for each in (extractor, collection)] == ["Current", "Current"]
    assert world.ask(EXTRACTOR, "tea").status == 200
    assert sorted(world.documents("texts")) == ["coffee.txt", "tea.txt"]
    assert world.settled("ExtractorVersion", f"{EXTRACTOR}-1.0.0")["status"]["environment"]["packages"] == 2


def test_a_version_that_needs_the_same_shares_the_environment(world: World) -> None:
    first = world.settled("ExtractorVersion", f"{EXTRACTOR}-1.0.0")

    world.version(EXTRACTOR, "1.1.0", word_bags.depends_on("alpha"))
    second = world.settled("ExtractorVersion", f"{EXTRACTOR}-1.1.0")

    assert second["status"]["environment"] == first["status"]["environment"]
    jobs = world.cluster.request("GET", f"/apis/batch/v1/namespaces/{world.namespace}/jobs")["items"]
    assert len([job for job in jobs if job["metadata"]["name"].startswith("environment-")]) == 1


def test_a_requirement_that_nothing_fits_is_told_and_the_version_before_goes_on(world: World) -> None:
    world.settled("Extractor", EXTRACTOR)

    world.version(EXTRACTOR, "2.0.0", word_bags.depends_on("alpha>=5"))
    with world.asking(EXTRACTOR) as client:
        world.apply(make("Extractor", EXTRACTOR, version="2.0.0", realtime={}))
        item = world.wait("Extractor", EXTRACTOR, lambda item: operators.kstatus(item) == "Failed")

    resolver = "only alpha==1.0 is available and manifest.py requires alpha>=5"
    version = world.settled("ExtractorVersion", f"{EXTRACTOR}-2.0.0")
    assert condition(version, "Ready") == ("False", "DependencyConflict")
    assert resolver in str(version["status"]["conditions"])
    assert (condition(item, "Available")[0], condition(item, "Stalled")) == (
        "True",
        ("True", "VersionNotReady"),
    )
    assert resolver in str(item["status"]["conditions"])
    assert (client.failed, client.versions) == (0, {"1.0.0"})
