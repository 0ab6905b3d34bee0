"""From what the steps say to what the status says, with a server in memory and steps as told."""

import asyncio
import contextlib
import datetime
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest

from extractor_apis.conditions import ConditionType, Reason
from extractor_apis.settings import Settings
from extractor_artifacts import ArtifactStore
from extractor_operator.context import Context
from extractor_operator.errors import ApiError, Retrying, Stalled, Waiting
from extractor_operator.inbox import Inbox
from extractor_operator.kube import Client
from extractor_operator.metrics import Metrics
from extractor_operator.reconcile import Reconciler
from extractor_operator.relations import Key
from extractor_operator.slots import Slots
from extractor_operator.store import Store
from extractor_operator.versions import attempt
from extractor_operator.versions.scan import Scanner
from extractor_operator.versions.steps import Step
from extractor_operator.workqueue import WorkQueue
from support import operators, virtual_time
from support.api_server import FakeClient

KEY = Key("ExtractorVersion", "team", "text-1.0.0")
PATH = operators.path("team", "text-1.0.0")
SECRET = "X-Signature=hunter2"


class World:
    """A version, and a reconciler with one step."""

    def __init__(self, folder: Path, say: Callable[[], str | None], *, seconds: float = 0) -> None:
        self.server, self.store = FakeClient(), Store()
        self.calls = 0
        self.now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        self.see(operators.make_version("text", "https://example.com/a.zip"))

        async def ensure(*_: Any) -> str | None:
            self.calls += 1
            await asyncio.sleep(seconds)
            return say()

        queue: WorkQueue[Key] = WorkQueue(lambda key: self.reconciler.run(key))
        inbox = Inbox(self.store, queue, frozenset({KEY.kind}))
        ctx = Context(
            client=cast("Client", self.server),
            settings=Settings(store=folder),
            inbox=inbox,
            artifacts=ArtifactStore(folder),
            scanner=Scanner(asyncio.Semaphore(1)),
            threads=ThreadPoolExecutor(1),
            work=folder / "work",
            metrics=Metrics(),
        )
        steps = (Step(ConditionType.FETCHED, ensure, "fetching the source"),)
        self.slots = Slots(2, wake=lambda _: None)
        self.reconciler = Reconciler(
            ctx, inbox, self.slots, (attempt.kind(steps),), instance="pod", clock=lambda: self.now
        )

    def see(self, item: dict[str, Any], **metadata: Any) -> None:
        """Have the watch bring an object."""
        known = {"uid": "one", "generation": 1, "namespace": "team", "annotations": {}}
        item = {**item, "metadata": {**known, **item["metadata"], **metadata}}
        self.store.put(self.server.put(PATH, item))

    def run(self) -> float | None:
        return virtual_time.run(self.reconciler.run(KEY))

    @property
    def conditions(self) -> dict[str, tuple[str, str]]:
        conditions = self.server.objects[PATH]["status"]["conditions"]
        return {each["type"]: (each["status"], each["reason"]) for each in conditions}

    @property
    def events(self) -> list[tuple[str, str]]:
        return [(body["type"], body["reason"]) for _, path, body in self.server.writes if "events" in path]


def raises(err: Exception) -> Callable[[], str | None]:
    def say() -> str | None:
        raise err

    return say


def test_a_version_whose_steps_are_done_is_ready_with_one_status_and_one_event(tmp_path: Path) -> None:
    world = World(tmp_path, lambda: "it is here")

    assert world.run() is None

    assert world.conditions == {
        "Ready": ("True", "Succeeded"),
        "ArtifactFetched": ("True", "Succeeded"),
    }
    assert world.server.objects[PATH]["status"]["observedGeneration"] == 1
    assert [method for method, _, _ in world.server.writes] == ["apply", "create"]
    assert world.events == [("Normal", "Succeeded")]


def test_a_step_that_nobody_asked_for_has_no_condition(tmp_path: Path) -> None:
    world = World(tmp_path, lambda: None)

    world.run()

    assert set(world.conditions) == {"Ready"}


@pytest.mark.parametrize(
    "say",
    [
        pytest.param(lambda: "it is here", id="ready"),
        pytest.param(raises(Stalled(Reason.NOT_FOUND, "nothing is there")), id="stalled"),
        pytest.param(raises(Waiting(Reason.SECRET_MISSING, "no Secret", after=1)), id="waiting"),
    ],
)
def test_a_second_reconcile_sends_no_write(tmp_path: Path, say: Callable[[], str | None]) -> None:
    world = World(tmp_path, say)
    world.run()
    world.now += datetime.timedelta(hours=1)
    before = len(world.server.writes)

    world.run()

    assert len(world.server.writes) == before


def test_a_stalled_version_is_not_tried_again_before_somebody_asks(tmp_path: Path) -> None:
    world = World(tmp_path, raises(Stalled(Reason.NOT_FOUND, "nothing is there")))
    world.run()
    world.run()
    before = world.calls

    world.see(world.server.objects[PATH], annotations={"extractors.mixpeek.com/requested-at": "now"})
    world.run()

    assert (before, world.calls) == (1, 2)
    assert world.conditions == {
        "Ready": ("False", "NotFound"),
        "Stalled": ("True", "NotFound"),
        "ArtifactFetched": ("False", "NotFound"),
    }


def test_a_stalled_status_that_somebody_changed_is_mended(tmp_path: Path) -> None:
    world = World(tmp_path, raises(Stalled(Reason.NOT_FOUND, "nothing is there")))
    world.run()
    world.see({**world.server.objects[PATH], "status": {"observedGeneration": 1}})

    world.run()

    assert world.conditions["Ready"] == ("False", "NotFound")


def test_what_may_pass_is_told_and_tried_again(tmp_path: Path) -> None:
    world = World(tmp_path, raises(Retrying(Reason.FETCH_FAILED, "HTTP 503")))

    with pytest.raises(Retrying):
        world.run()

    assert world.conditions == {
        "Ready": ("False", "ProgressingWithRetry"),
        "Reconciling": ("True", "ProgressingWithRetry"),
        "ArtifactFetched": ("False", "FetchFailed"),
    }
    assert world.server.objects[PATH]["status"]["observedGeneration"] == -1
    assert world.events == [("Warning", "ProgressingWithRetry")]


def test_what_the_api_server_refuses_is_told(tmp_path: Path) -> None:
    world = World(tmp_path, raises(ApiError("the API server refused to get pods: 403")))

    with pytest.raises(ApiError):
        world.run()

    assert "403" in world.server.objects[PATH]["status"]["conditions"][0]["message"]


def test_a_bug_shows_nothing_of_what_it_was_about(tmp_path: Path) -> None:
    world = World(tmp_path, raises(RuntimeError(f"https://example.com/?{SECRET}")))

    with pytest.raises(RuntimeError):
        world.run()

    assert world.conditions["Ready"] == ("False", "ProgressingWithRetry")
    assert SECRET not in str(world.server.writes)


def test_what_takes_long_is_announced_once(tmp_path: Path) -> None:
    world = World(tmp_path, lambda: "it is here", seconds=10)

    world.run()

    statuses = [body["status"]["conditions"] for method, _, body in world.server.writes if method == "apply"]
    assert (statuses[0][0]["reason"], statuses[0][0]["message"]) == ("Progressing", "fetching the source")
    assert (len(statuses), world.events) == (2, [("Normal", "Succeeded")])


@pytest.mark.parametrize(
    "say",
    [
        pytest.param(lambda: "it is here", id="one that is ready stays so"),
        pytest.param(raises(Retrying(Reason.FETCH_FAILED, "HTTP 503")), id="one that fails is told once"),
    ],
)
def test_nothing_is_announced_over_what_was_said(tmp_path: Path, say: Callable[[], str | None]) -> None:
    world = World(tmp_path, say, seconds=10)
    for _ in range(2):
        with contextlib.suppress(Retrying):
            world.run()
    before = len(world.server.writes)

    with contextlib.suppress(Retrying):
        world.run()

    assert (len(world.server.writes), len(world.events)) == (before, 1)


def test_what_is_waited_for_has_its_own_pace(tmp_path: Path) -> None:
    world = World(tmp_path, raises(Waiting(Reason.SECRET_MISSING, "no Secret", after=30)))

    assert world.run() == 30

    assert world.conditions["ArtifactFetched"] == ("Unknown", "SecretMissing")


def test_an_api_server_that_is_away_is_asked_again_soon(tmp_path: Path) -> None:
    world = World(tmp_path, lambda: "it is here")
    world.server.is_down = True

    assert world.run() == 5


@pytest.mark.parametrize(
    ("metadata", "want"),
    [
        pytest.param({"deletionTimestamp": "2026-01-01T00:00:00Z"}, 0, id="one that is being deleted"),
        pytest.param({}, 1, id="one that is not"),
    ],
)
def test_what_is_being_deleted_is_left_alone(tmp_path: Path, metadata: dict[str, str], want: int) -> None:
    world = World(tmp_path, lambda: "it is here")
    world.see(world.server.objects[PATH], **metadata)

    world.run()

    assert world.calls == want


def test_a_status_is_never_written_to_another_object_of_that_name(tmp_path: Path) -> None:
    world = World(tmp_path, lambda: "it is here")
    world.server.put(PATH, {**world.server.objects[PATH], "metadata": {"uid": "two"}})

    assert world.run() is None

    assert "status" not in world.server.objects[PATH]


def test_a_transition_moves_its_time_and_nothing_else_does(tmp_path: Path) -> None:
    said = ["it is here", "it is still here"]
    world = World(tmp_path, lambda: said.pop(0))
    world.run()
    world.now += datetime.timedelta(hours=1)

    world.run()

    fetched = world.server.objects[PATH]["status"]["conditions"][1]
    assert (fetched["message"], fetched["lastTransitionTime"]) == ("it is still here", "2026-01-01T00:00:00Z")
    assert world.events == [("Normal", "Succeeded")]


def test_a_version_whose_namespace_has_no_slot_left_takes_no_worker(tmp_path: Path) -> None:
    world = World(tmp_path, lambda: "it is here")
    world.slots.take(Key("ExtractorVersion", "team", "slow-1.0.0"))

    world.run()

    assert (world.calls, world.slots.waiting) == (0, 1)
