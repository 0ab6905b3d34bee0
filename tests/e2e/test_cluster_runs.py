"""Collections in a cluster: what is run, what is run again, and what becomes of objects that fail."""

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from support import kuberay_world, operators, word_bags
from support.kuberay_world import World, condition, make

pytestmark = pytest.mark.e2e

EXTRACTOR = "words"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in which version 1.0.0 can be run, and serves nobody."""
    with kuberay_world.run(tmp_path_factory.mktemp("world")) as world:
        world.version(EXTRACTOR, "1.0.0", word_bags.STEP_MINDS_WORDS)
        world.apply(make("Extractor", EXTRACTOR, version="1.0.0"))
        world.settled("Extractor", EXTRACTOR)
        yield world
        assert "Traceback" not in world.operator.log
        assert "403" not in world.operator.log, "the Role that is shipped is too small"


def collect(world: World, name: str, texts: dict[str, str], **spec: Any) -> None:
    """Make a collection of texts that runs when it is asked to."""
    source = world.source(name, texts)
    world.apply(make("Collection", name, extractor=EXTRACTOR, source=source, ingest="manual", **spec))


def begin(world: World, collection: str, name: str) -> None:
    """Ask for a run."""
    world.apply(make("ExtractorRun", name, collection=collection, extractor=EXTRACTOR, version="1.0.0"))


def run(world: World, collection: str, name: str) -> dict[str, Any]:
    """Ask for a run, and give the status that it ends with."""
    begin(world, collection, name)
    item = world.settled("ExtractorRun", name)
    assert condition(item, "Succeeded") == ("True", "Succeeded"), item["status"]
    status: dict[str, Any] = item["status"]
    return status


def test_only_objects_that_are_new_or_changed_are_run_again(world: World) -> None:
    collect(world, "growing", {"tea": "hot leaves", "coffee": "ground beans"})
    first = run(world, "growing", "growing-1")

    world.source("growing", {"coffee": "roasted beans", "rain": "wet weather"})
    second = run(world, "growing", "growing-2")

    assert (first["total"], first["written"], first["failed"]) == (2, 2, 0)
    assert (second["total"], second["written"], second["failed"]) == (2, 2, 0)
    assert sorted(world.documents("growing")) == ["coffee.txt", "rain.txt", "tea.txt"]
    assert world.documents("growing")["coffee.txt"]["data"] == "roasted beans"


def test_an_object_that_cannot_be_done_is_a_dead_letter_and_the_others_are_published(world: World) -> None:
    collect(world, "poisoned", {"good": "hot leaves", "bad": word_bags.POISON, "fine": "ground beans"})

    status = run(world, "poisoned", "poisoned-1")

    assert (status["total"], status["written"], status["failed"]) == (3, 2, 1)
    assert sorted(world.documents("poisoned")) == ["fine.txt", "good.txt"]
    [letter] = world.dead_letters("poisoned-1")
    assert (letter.object_id, letter.step) == ("bad.txt", "EmbedProcessor")
    assert f"{word_bags.POISON} in the batch" in letter.error


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param("kill_entrypoint", "OutOfMemory", id="its driver is killed as for want of memory"),
        pytest.param("lose_head", "HeadLost", id="its head is lost"),
    ],
)
def test_a_run_that_is_broken_half_way_ends_with_the_rows_of_one_that_is_not(
    world: World, fault: str, reason: str
) -> None:
    texts = {f"text-{number}": f"{word_bags.SLOW} text {number}" for number in range(6)}
    name = f"broken-{reason.lower()}"
    collect(world, name, texts)
    begin(world, name, name)
    item = world.wait("ExtractorRun", name, lambda item: world.is_running(name))

    getattr(world.local.job(item["status"]["job"]), fault)()

    seen = world.wait("ExtractorRun", name, lambda item: condition(item, "Ready")[1] == reason)
    assert condition(seen, "Succeeded") == ("Unknown", "Retrying")
    item = world.settled("ExtractorRun", name)
    assert condition(item, "Succeeded") == ("True", "Succeeded")
    assert item["status"]["attempts"] == 2
    assert sorted(world.documents(name)) == sorted(f"{each}.txt" for each in texts)


def test_a_cancelled_run_leaves_no_job(world: World) -> None:
    collect(world, "cancelled", {f"text-{number}": word_bags.SLOW for number in range(30)})
    begin(world, "cancelled", "cancelled-1")
    item = world.wait("ExtractorRun", "cancelled-1", lambda item: world.is_running("cancelled-1"))
    job = world.local.job(item["status"]["job"])

    world.cluster.kubectl(
        *("patch", "extractorrun", "cancelled-1", "--namespace", world.namespace),
        *("--type=merge", '--patch={"spec": {"cancel": true}}'),
    )

    item = world.settled("ExtractorRun", "cancelled-1")
    assert condition(item, "Succeeded") == ("False", "Cancelled")
    operators.eventually(lambda: world.names("RayJob"), lambda left: item["status"]["job"] not in left)
    assert job.process is not None and job.process.returncode == -signal.SIGKILL
    assert world.documents("cancelled") == {}
