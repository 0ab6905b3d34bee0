"""What is said and done of a Job, by how it is, with an API server in memory."""

import dataclasses
from types import SimpleNamespace
from typing import Any, cast

import pytest

from extractor_apis.conditions import Reason
from extractor_apis.extractorversion import ExtractorVersion
from extractor_operator.context import Context
from extractor_operator.errors import Retrying, Waiting
from extractor_operator.store import Store
from extractor_operator.versions import job, job_at_work
from extractor_operator.versions.job import Job
from support import exchanges, ready, virtual_time
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


OTHERS = dataclasses.replace(JOB, config='{"other": 1}', version=exchanges.version("uid-2"))
"""Of another version, which asks for the same."""


class World:
    """A Job on a server in memory."""

    def __init__(self) -> None:
        self.server, self.store = FakeClient(), Store()
        self.now = BEGUN

    def see(self, version: ExtractorVersion) -> None:
        """Have a version in the store."""
        ready.see(self.store, version)

    def have(self, made: Job = JOB, **status: Any) -> None:
        """Have the Job as it was made, with a status."""
        body = job.render_job(made)
        body["metadata"] |= {"uid": "job-uid", "creationTimestamp": "2026-01-01T00:00:00Z"}
        self.server.put(f"{JOBS}/{made.name}", {**body, "status": status})

    def have_pod(self, **status: Any) -> None:
        labels = {"batch.kubernetes.io/job-name": JOB.name}
        self.server.put(f"{PODS}/pod", {"metadata": {"name": "pod", "labels": labels}, "status": status})

    def ensure(self, wanted: Job = JOB) -> None:
        virtual_time.run(job_at_work.ensure(wanted, Reason.SCAN_FAILED, self.ctx, clock=lambda: self.now))

    @property
    def ctx(self) -> Context:
        return cast("Context", SimpleNamespace(client=self.server, store=self.store))

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
            terminated(137, "Error", "rule 12 of 40"),
            "was killed .exit code 137.*: rule 12 of 40",
            id="that something killed it",
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


def test_what_was_asked_before_is_waited_for_and_not_believed(world: World) -> None:
    world.have(dataclasses.replace(JOB, config='{"before": 1}'))
    with pytest.raises(Waiting, match="at work"):
        world.ensure()
    at_work = list(world.writes)

    world.have(dataclasses.replace(JOB, config='{"before": 1}'), conditions=ended("Complete"))
    with pytest.raises(Waiting, match="about to start"):
        world.ensure()

    assert (at_work, world.writes) == ([], [("delete", f"{JOBS}/scan-1")])


@pytest.mark.parametrize("end", ["Complete", "Failed"])
def test_the_end_of_a_job_is_left_to_the_version_that_had_it_made(world: World, end: str) -> None:
    world.see(OTHERS.version)
    world.have(OTHERS, conditions=ended(end))

    with pytest.raises(Waiting, match="waiting for the version that had it made"):
        world.ensure()

    assert world.writes == []


def test_who_had_a_job_made_is_told_why_it_failed_after_others_have_looked(world: World) -> None:
    world.see(OTHERS.version)
    world.have(OTHERS, conditions=ended("Failed"))
    world.have_pod(**terminated(1, "Error", "the index does not answer"))
    with pytest.raises(Waiting):
        world.ensure()

    with pytest.raises(Retrying, match="the index does not answer"):
        world.ensure(OTHERS)

    assert world.writes == [("delete", f"{JOBS}/scan-1")]


@pytest.mark.parametrize("end", ["Complete", "Failed"])
def test_the_job_of_a_version_that_is_gone_makes_way(world: World, end: str) -> None:
    world.have(OTHERS, conditions=ended(end))

    with pytest.raises(Waiting, match="about to start"):
        world.ensure()

    assert world.writes == [("delete", f"{JOBS}/scan-1")]


def test_only_a_job_of_ones_own_is_removed(world: World) -> None:
    world.have(OTHERS)

    virtual_time.run(job_at_work.remove(JOB, world.ctx))

    assert world.writes == []


def test_a_pod_waits_for_a_capability_that_is_its_own_versions() -> None:
    names = {
        job.render_secret(each, {"metadata": {"uid": "1"}})["metadata"]["name"] for each in (JOB, OTHERS)
    }

    assert len(names) == 2
