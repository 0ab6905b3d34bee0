"""What is said and done of a Job, by how it is, with an API server in memory."""

import dataclasses
from types import SimpleNamespace
from typing import Any, cast

import pytest

from extractor_apis.conditions import Reason
from extractor_operator.context import Context
from extractor_operator.errors import Retrying, Waiting
from extractor_operator.versions import job, job_at_work
from extractor_operator.versions.job import Job
from support import exchanges, virtual_time
from support.api_server import FakeClient

BEGUN = 1_767_225_600.0
JOBS = "/apis/batch/v1/namespaces/own/jobs"
PODS = "/api/v1/namespaces/own/pods"
SECRETS = "/api/v1/namespaces/own/secrets"
JOB = Job(
    kind="scan",
    name="scan-1",
    namespace="own",
    image="scanner",
    command=("python",),
    config="{}",
    secret={"token": "t"},
    seconds=60,
    memory="1Gi",
    disk="1Gi",
    version=exchanges.version("uid-1"),
)


class World:
    """A Job on a server in memory."""

    def __init__(self) -> None:
        self.server = FakeClient()
        self.now = BEGUN

    def have(self, made: Job = JOB, **status: Any) -> None:
        """Have the Job as it was made, with a status."""
        body = job.render_job(made)
        body["metadata"] |= {"uid": "job-uid", "creationTimestamp": "2026-01-01T00:00:00Z"}
        self.server.put(f"{JOBS}/{made.name}", {**body, "status": status})

    def have_pod(self, **status: Any) -> None:
        labels = {"batch.kubernetes.io/job-name": JOB.name}
        self.server.put(f"{PODS}/pod", {"metadata": {"name": "pod", "labels": labels}, "status": status})

    def ensure(self) -> None:
        ctx = cast("Context", SimpleNamespace(client=self.server))
        virtual_time.run(job_at_work.ensure(JOB, Reason.SCAN_FAILED, ctx, clock=lambda: self.now))

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path, _ in self.server.writes]


@pytest.fixture
def world() -> World:
    return World()


def ended(type: str) -> list[dict[str, str]]:
    return [{"type": type, "status": "True", "message": "Job has reached the specified backoff limit"}]


def test_a_job_that_is_not_there_is_made_with_its_secret(world: World) -> None:
    with pytest.raises(Waiting, match="the Job own/scan-1 is at work"):
        world.ensure()

    assert world.writes == [("create", JOBS), ("create", SECRETS)]


def test_a_second_look_writes_nothing(world: World) -> None:
    for _ in range(2):
        with pytest.raises(Waiting):
            world.ensure()

    assert len(world.writes) == 2


def test_a_job_whose_secret_was_never_made_gets_it(world: World) -> None:
    world.have()

    with pytest.raises(Waiting):
        world.ensure()

    assert world.writes == [("create", SECRETS)]


def test_a_job_that_has_ended_well_is_left_alone(world: World) -> None:
    world.have(conditions=ended("Complete"))

    world.ensure()

    assert world.writes == []


@pytest.mark.parametrize(
    ("age", "want"),
    [
        pytest.param(0.0, 5.0, id="often at first"),
        pytest.param(60.0, 30.0, id="then less often"),
        pytest.param(9999.0, 60.0, id="and once a minute in the end"),
    ],
)
def test_it_is_looked_at(world: World, age: float, want: float) -> None:
    world.have(ready=1)
    world.now = BEGUN + age

    with pytest.raises(Waiting) as caught:
        world.ensure()

    assert caught.value.after == want


WAITS = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
NO_NODE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available: 3 Insufficient memory.",
}


@pytest.mark.parametrize(
    ("status", "want"),
    [
        pytest.param(
            {"phase": "Pending", "containerStatuses": [{"name": "scan", "state": WAITS}]},
            Reason.IMAGE_PULL_FAILED,
            id="whose image cannot be pulled",
        ),
        pytest.param(
            {"phase": "Pending", "conditions": [NO_NODE]}, Reason.UNSCHEDULABLE, id="that finds no node"
        ),
        pytest.param({"phase": "Pending"}, Reason.PROGRESSING, id="of which nothing is known"),
    ],
)
def test_a_pod_that_does_not_start_says_why(world: World, status: dict[str, Any], want: Reason) -> None:
    world.have()
    world.have_pod(**status)
    world.now = BEGUN + 60

    with pytest.raises(Waiting) as caught:
        world.ensure()

    assert caught.value.reason is want


def terminated(code: int, reason: str, message: str = "") -> dict[str, Any]:
    state = {"terminated": {"exitCode": code, "reason": reason, "message": message}}
    return {"phase": "Failed", "containerStatuses": [{"name": "scan", "state": state}]}


@pytest.mark.parametrize(
    ("pod", "want"),
    [
        pytest.param(
            terminated(1, "Error", "a log line\nthe scan came to no verdict: it took too long\n"),
            "the scan came to no verdict: it took too long",
            id="its last words",
        ),
        pytest.param(
            terminated(137, "OOMKilled"), "was killed for using more memory", id="that it was killed"
        ),
        pytest.param(
            {
                "phase": "Failed",
                "reason": "Evicted",
                "message": "The node was low on resource: disk.",
            },
            "low on resource: disk",
            id="that its node ended it",
        ),
        pytest.param(None, "failed: Job has reached the specified backoff limit", id="what its Job says"),
    ],
)
def test_a_failure_tells_and_makes_way_for_the_next_try(
    world: World, pod: dict[str, Any] | None, want: str
) -> None:
    world.have(conditions=ended("Failed"))
    if pod:
        world.have_pod(**pod)

    with pytest.raises(Retrying, match=want) as caught:
        world.ensure()

    assert caught.value.reason is Reason.SCAN_FAILED
    assert world.writes == [("delete", f"{JOBS}/scan-1")]


def test_another_jobs_work_is_waited_for_and_not_believed(world: World) -> None:
    world.have(dataclasses.replace(JOB, config='{"other": 1}'))
    with pytest.raises(Waiting, match="at work"):
        world.ensure()
    at_work = list(world.writes)

    world.have(dataclasses.replace(JOB, config='{"other": 1}'), conditions=ended("Complete"))
    with pytest.raises(Waiting, match="about to start"):
        world.ensure()

    assert (at_work, world.writes) == ([], [("delete", f"{JOBS}/scan-1")])
