"""Runs of one collection take turns, whatever of them the operator has seen and told when they begin."""

import asyncio
import datetime
from collections.abc import Mapping
from typing import Any

import pytest

from extractor_apis.conditions import Outcome, Reason
from extractor_apis.extractorrun import ExtractorRun
from extractor_operator.errors import Waiting
from extractor_operator.kuberay import workload
from extractor_operator.kuberay.rayjob import job_name
from extractor_operator.runs import attempt
from support import ready, workloads
from support.api_server import FakeClient

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
MADE = "2026-01-01T00:00:00Z"
"""When all of them were made: the API server tells it to the second."""
ENDED = {"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}


class Slow(FakeClient):
    """Takes its time to make an object."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.answer = asyncio.Event(), asyncio.Event()

    async def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.set()
        await self.answer.wait()
        return await super().create(path, body)


class World:
    """A collection whose version is Ready, and what the operator has seen of its runs."""

    def __init__(self, server: FakeClient) -> None:
        self.ctx, self.kind = ready.context(server), attempt.kind(lambda: NOW)
        self.store = self.ctx.store

    def see(self, name: str, **status: Any) -> ExtractorRun:
        """Have the watch bring a run."""
        run = workloads.make_run(name)
        metadata = run.metadata.model_copy(update={"creation_timestamp": NOW})
        ready.see(self.store, run.model_copy(update={"metadata": metadata}), status)
        return run

    def see_job(self, run: ExtractorRun, **more: Any) -> None:
        """Have the watch bring the RayJob of a run."""
        metadata = workload.metadata(run, job_name(run, 1), {})
        known = {"uid": f"job-of-{run.metadata.name}", "resourceVersion": "1", "creationTimestamp": MADE}
        spec = {"shutdownAfterJobFinishes": True}
        body = {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": metadata | known, "spec": spec}
        self.store.put(body | more)

    async def reconcile(self, name: str) -> Outcome:
        run = self.store.read(ExtractorRun, workloads.NAMESPACE, name)
        assert run is not None
        return await self.kind.begin(run, self.ctx, say_nothing).work()

    def waits(self, name: str) -> Waiting:
        """Reconcile a run that does not have its turn."""
        with pytest.raises(Waiting) as caught:
            asyncio.run(self.reconcile(name))
        assert caught.value.reason is Reason.QUEUED
        return caught.value


async def say_nothing(outcome: Outcome) -> None:
    """Write no status half-way."""


def jobs(server: FakeClient) -> list[str]:
    """Name the RayJobs that were made."""
    return [body["metadata"]["name"] for _, _, body in server.writes]


@pytest.fixture
def server() -> FakeClient:
    return FakeClient()


@pytest.fixture
def world(server: FakeClient) -> World:
    return World(server)


def test_a_run_that_is_seen_late_waits_for_the_one_whose_rayjob_is_being_made() -> None:
    async def both() -> list[str]:
        server = Slow()
        world = World(server)
        world.see("b")
        begun = asyncio.ensure_future(world.reconcile("b"))
        await server.asked.wait()

        world.see("a")
        with pytest.raises(Waiting, match="b is under way"):
            await asyncio.wait_for(world.reconcile("a"), 1.0)
        server.answer.set()
        await begun
        return jobs(server)

    assert asyncio.run(both()) == [job_name(workloads.make_run("b"), 1)]


def test_a_run_that_is_seen_late_waits_for_the_one_of_which_nothing_is_told_yet(
    world: World, server: FakeClient
) -> None:
    world.see("b")
    asyncio.run(world.reconcile("b"))
    world.see("a")

    assert "b is under way" in str(world.waits("a"))


def test_a_run_whose_rayjob_could_not_be_made_keeps_its_turn(world: World, server: FakeClient) -> None:
    world.see("b")
    server.is_down = True
    with pytest.raises(Exception, match="does not answer"):
        asyncio.run(world.reconcile("b"))
    server.is_down = False
    world.see("a")

    world.waits("a")
    asyncio.run(world.reconcile("b"))

    assert len(server.writes) == 1


def test_a_process_that_knows_nothing_lets_the_run_go_on_whose_rayjob_is_there(
    world: World, server: FakeClient
) -> None:
    world.see("a")
    world.see_job(world.see("b"))

    world.waits("a")

    assert server.writes == []


def test_runs_of_one_second_go_in_the_order_of_their_names(world: World, server: FakeClient) -> None:
    world.see("a")
    world.see("b")

    assert "a was made before" in str(world.waits("b"))


def test_a_run_names_the_one_that_is_at_work_before_those_that_wait_as_well(world: World) -> None:
    for name in ("a", "b", "d"):
        world.see(name)
    world.see("c", attempts=1)

    assert "c is under way" in str(world.waits("d"))


@pytest.mark.parametrize(
    "job",
    [
        pytest.param({"status": {"jobDeploymentStatus": "Running", "jobStatus": "RUNNING"}}, id="runs on"),
        pytest.param(
            {"status": {"jobDeploymentStatus": "ValidationFailed"}}, id="keeps what KubeRay will not remove"
        ),
    ],
)
def test_a_run_that_was_given_up_is_waited_for_while_its_rayjob(job: dict[str, Any], world: World) -> None:
    world.see_job(world.see("a", attempts=1, finished=MADE), **job)
    world.see("b")

    waiting = world.waits("b")

    assert "a has ended, and its RayJob is being removed" in str(waiting)
    assert waiting.after == 5.0


@pytest.mark.parametrize(
    "is_there", [pytest.param(True, id="is still there"), pytest.param(False, id="is gone")]
)
def test_a_turn_is_over_with_the_run_whose_rayjob(is_there: bool, world: World, server: FakeClient) -> None:
    first = world.see("a", attempts=1, finished=MADE)
    if is_there:
        world.see_job(first, status=ENDED)
    world.see("b")

    asyncio.run(world.reconcile("b"))

    assert [body["metadata"]["name"] for _, _, body in server.writes] == [
        job_name(workloads.make_run("b"), 1)
    ]


def test_a_turn_that_was_taken_is_over_when_the_run_has_ended(world: World, server: FakeClient) -> None:
    first = world.see("b")
    asyncio.run(world.reconcile("b"))
    gone = {"kind": "ExtractorRun", "metadata": first.metadata.model_dump()}
    world.store.remove(gone)
    world.see("a")

    asyncio.run(world.reconcile("a"))

    assert len(server.writes) == 2
