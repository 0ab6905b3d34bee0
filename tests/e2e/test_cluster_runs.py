"""Collections in a cluster: what is run, what is run again, and what becomes of objects that fail."""

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from support import kuberay, kuberay_world, operators, word_bags
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


def collect(world: World, name: str, texts: dict[str, str], extractor: str = EXTRACTOR) -> None:
    """Make a collection of texts that runs when it is asked to."""
    source = world.source(name, texts)
    world.apply(make("Collection", name, extractor=extractor, source=source, ingest="manual"))


def begin(world: World, collection: str, name: str, **spec: Any) -> None:
    """Ask for a run."""
    asked = {"collection": collection, "extractor": EXTRACTOR, "version": "1.0.0"}
    world.apply(make("ExtractorRun", name, **asked | spec))


def run(world: World, collection: str, name: str, **spec: Any) -> dict[str, Any]:
    """Ask for a run, and give the status that it ends with."""
    begin(world, collection, name, **spec)
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


def test_what_failed_is_taken_again_once_it_is_mended_and_nothing_else(world: World) -> None:
    collect(world, "mended", {"good": "hot leaves", "bad": word_bags.POISON})
    run(world, "mended", "mended-1")

    world.source("mended", {"bad": "ground beans", "new": "wet weather"})
    status = run(world, "mended", "mended-2", retryFailed="mended-1")

    assert (status["total"], status["written"], status["failed"]) == (1, 1, 0)
    assert sorted(world.documents("mended")) == ["bad.txt", "good.txt"]


def test_a_run_waits_for_kueue_and_goes_on_when_it_was_preempted(world: World) -> None:
    texts = {f"text-{number}": f"{word_bags.SLOW} text {number}" for number in range(6)}
    world.version("queued", "1.0.0", word_bags.STEP_MINDS_WORDS)
    world.apply(make("Extractor", "queued", version="1.0.0", queueName="team"))
    collect(world, "queued", texts, extractor="queued")
    begin(world, "queued", "queued-1", extractor="queued")
    waiting = world.wait("ExtractorRun", "queued-1", is_queued)
    job = kuberay.path("RayJob", world.namespace, waiting["status"]["job"])

    world.local.api.merge(job, {"spec": {"suspend": False}})
    world.wait("ExtractorRun", "queued-1", lambda item: world.is_running("queued-1"))
    world.local.api.merge(job, {"spec": {"suspend": True}})
    preempted = world.wait("ExtractorRun", "queued-1", is_queued)
    world.local.api.merge(job, {"spec": {"suspend": False}})
    item = world.settled("ExtractorRun", "queued-1")

    assert "it waits in the queue team until Kueue lets it start" in str(waiting["status"]["conditions"])
    assert "eta" not in preempted["status"], "nobody knows when Kueue lets it start"
    assert condition(item, "Succeeded") == ("True", "Succeeded")
    assert (item["status"]["attempts"], item["status"]["job"]) == (1, waiting["status"]["job"])
    assert sorted(world.documents("queued")) == sorted(f"{each}.txt" for each in texts)


def is_queued(run: dict[str, Any]) -> bool:
    """Tell whether a run says that it waits for Kueue."""
    return [condition(run, each) for each in ("Succeeded", "Ready")] == [
        ("Unknown", "Queued"),
        ("False", "Queued"),
    ]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param("kill_entrypoint", "Killed", id="its driver is killed"),
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

    getattr(world.local.job(world.namespace, item["status"]["job"]), fault)()

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
    job = world.local.job(world.namespace, item["status"]["job"])

    world.cluster.kubectl(
        *("patch", "extractorrun", "cancelled-1", "--namespace", world.namespace),
        *("--type=merge", '--patch={"spec": {"cancel": true}}'),
    )

    item = world.settled("ExtractorRun", "cancelled-1")
    assert condition(item, "Succeeded") == ("False", "Cancelled")
    operators.eventually(lambda: world.names("RayJob"), lambda left: item["status"]["job"] not in left)
    assert job.process is not None and job.process.returncode == -signal.SIGKILL
    assert world.documents("cancelled") == {}
