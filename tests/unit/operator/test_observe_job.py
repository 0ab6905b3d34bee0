"""How a RayJob is read where no recording shows it: queues, forgotten deadlines, words that nobody knows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from extractor_apis.conditions import Reason
from extractor_operator.kuberay.job import JobObservation, JobPhase, observe_job

Json = dict[str, Any]

T0 = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def job(*, spec: Json | None = None, labels: dict[str, str] | None = None, **status: Any) -> Json:
    """Make a RayJob that was created, and whose attempt began, at T0."""
    metadata = {"name": "a-run", "creationTimestamp": T0.isoformat(), "labels": labels or {}}
    deadlines = {"preRunningDeadlineSeconds": 600, "activeDeadlineSeconds": 3600}
    began = {"startTime": T0.isoformat(), "rayClusterName": "a-run-x"} if status else {}
    return {
        "metadata": metadata,
        "spec": {"shutdownAfterJobFinishes": True, **deadlines, **(spec or {})},
        "status": {**began, **status},
    }


def look(job: Json, *, after: float = 10, pods: list[Json] | None = None) -> JobObservation:
    return observe_job(job, None, pods or [], now=T0 + timedelta(seconds=after))


def said(observed: JobObservation) -> tuple[JobPhase, Reason, str]:
    return observed.phase, observed.reason, observed.message


def submitter(**state: Any) -> Json:
    return {
        "metadata": {"labels": {"ray.io/originated-from-cr-name": "a-run"}},
        "status": {"containerStatuses": [{"name": "ray-job-submitter", "image": "r.example/a:1", **state}]},
    }


@pytest.mark.parametrize(
    ("seen", "phase", "reason", "want"),
    [
        pytest.param(
            job(spec={"suspend": True}, labels={"kueue.x-k8s.io/queue-name": "team-a"}),
            JobPhase.QUEUED,
            Reason.QUEUED,
            "it waits in the queue team-a until Kueue lets it start",
            id="Kueue has no room",
        ),
        pytest.param(
            job(jobDeploymentStatus="Failed", reason="JobStatusCheckTimeoutExceeded", jobStatus="RUNNING"),
            JobPhase.LOST,
            Reason.HEAD_LOST,
            "its head pod was lost while it ran; what it had finished is kept",
            id="KubeRay could not ask the head for too long",
        ),
        pytest.param(
            job(jobDeploymentStatus="Failed", reason="SubmissionFailed", jobStatus="RUNNING"),
            JobPhase.LOST,
            Reason.HEAD_LOST,
            "its head pod was lost while it ran; what it had finished is kept",
            id="the submitter ended while the job ran",
        ),
        pytest.param(
            job(jobDeploymentStatus="Failed", reason="SubmissionFailed", message="BackoffLimitExceeded"),
            JobPhase.FAILED,
            Reason.SUBMISSION_FAILED,
            "it could not be handed to its Ray cluster: BackoffLimitExceeded",
            id="the submitter ended before the job ran",
        ),
        pytest.param(
            job(
                jobDeploymentStatus="Failed",
                reason="AppFailed",
                message="Job entrypoint command failed with exit code 1, last available logs:\n"
                "Traceback …\nextractor: 12 of 100 objects failed, 10 are allowed\n",
            ),
            JobPhase.FAILED,
            Reason.APP_FAILED,
            "its code failed (exit code 1): 12 of 100 objects failed, 10 are allowed",
            id="our entry point has a last word",
        ),
        pytest.param(
            job(jobDeploymentStatus="Failed", reason="SomethingNew", message="of a later KubeRay"),
            JobPhase.FAILED,
            Reason.APP_FAILED,
            "KubeRay gave it up (SomethingNew: of a later KubeRay)",
            id="a reason that nobody knows",
        ),
        pytest.param(
            job(jobDeploymentStatus="Complete", jobStatus="PAUSED"),
            JobPhase.FAILED,
            Reason.APP_FAILED,
            "it ended as PAUSED: read its log",
            id="Complete with a word that nobody knows",
        ),
        pytest.param(
            job(jobDeploymentStatus="Daydreaming", jobStatus="PAUSED"),
            JobPhase.STARTING,
            Reason.STARTING,
            "its Ray cluster starts, and then its code",
            id="a deployment status that nobody knows",
        ),
    ],
)
def test_a_ray_job_is_read_into_one_sentence(seen: Json, phase: JobPhase, reason: Reason, want: str) -> None:
    assert said(look(seen)) == (phase, reason, want)


@pytest.mark.parametrize("status", [None, {}, {"jobStatus": None, "rayClusterStatus": {"conditions": None}}])
def test_a_job_of_which_nothing_is_said_starts(status: Json | None) -> None:
    assert look({"metadata": {"name": "a-run"}, "spec": None, "status": status}).phase is JobPhase.STARTING


def test_a_job_that_is_being_deleted_is_gone() -> None:
    seen = job(jobDeploymentStatus="Running", jobStatus="RUNNING")
    seen["metadata"]["deletionTimestamp"] = T0.isoformat()

    assert look(seen) == observe_job(None, None, [], now=T0)


def test_kuberay_that_does_not_act_is_noticed_after_30_s_and_given_up_at_the_deadline() -> None:
    looks = [look(job(), after=seconds) for seconds in (29, 30, 659, 660)]

    assert [(each.phase, each.reason) for each in looks] == [
        (JobPhase.STARTING, Reason.STARTING),
        (JobPhase.STARTING, Reason.NOT_TAKEN_UP),
        (JobPhase.STARTING, Reason.NOT_TAKEN_UP),
        (JobPhase.FAILED, Reason.NOT_TAKEN_UP),
    ]
    assert looks[-1].is_leaking


def test_a_job_that_was_queued_for_long_has_its_whole_time_to_start() -> None:
    resumed = [
        job(jobDeploymentStatus="Suspended"),
        job(failed=0),
        job(jobDeploymentStatus="Initializing", startTime=(T0 + timedelta(days=2)).isoformat()),
    ]

    phases = [look(each, after=2 * 86_400 + 1).phase for each in resumed]

    assert phases == [JobPhase.STARTING] * 3


def test_pods_are_read_only_when_a_healthy_start_would_be_over() -> None:
    initializing = job(jobDeploymentStatus="Initializing")
    handed_over = job(jobDeploymentStatus="Running")
    running = job(jobDeploymentStatus="Running", jobStatus="RUNNING")

    assert [look(initializing, after=seconds).pods_to_read for seconds in (14, 15)] == [
        None,
        "ray.io/cluster=a-run-x",
    ]
    assert look(handed_over, after=15).pods_to_read == "job-name=a-run"
    assert look(running, after=15).pods_to_read is None


def test_a_submitter_that_cannot_start_says_why() -> None:
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "x509: unknown authority"}}

    observed = look(job(jobDeploymentStatus="Running"), after=20, pods=[submitter(state=waiting)])

    assert said(observed) == (
        JobPhase.STARTING,
        Reason.IMAGE_PULL_FAILED,
        "the image r.example/a:1 cannot be pulled: the node does not trust its registry's certificate",
    )


def test_a_head_that_does_not_answer_is_lost_after_five_minutes() -> None:
    silent = job(
        jobDeploymentStatus="Running", jobStatus="RUNNING", jobStatusCheckFailureStartTime=T0.isoformat()
    )

    looks = [look(silent, after=seconds) for seconds in (10, 299, 300)]

    assert [(each.phase, each.is_leaking) for each in looks] == [
        (JobPhase.RUNNING, False),
        (JobPhase.RUNNING, False),
        (JobPhase.LOST, True),
    ]


def test_a_word_that_nobody_knows_does_not_end_a_job_whose_head_is_ready() -> None:
    head = {"type": "HeadPodReady", "status": "True", "lastTransitionTime": T0.isoformat()}
    seen = job(jobDeploymentStatus="Running", jobStatus="Failure", rayClusterStatus={"conditions": [head]})

    observed = look(seen, after=3000)

    assert (observed.phase, observed.reason) == (JobPhase.RUNNING, Reason.HEAD_LOST)


@pytest.mark.parametrize(
    ("seen", "want"),
    [
        pytest.param(
            job(jobDeploymentStatus="Failed", reason="AppFailed", message="exit code 1"),
            True,
            id="its code failed",
        ),
        pytest.param(
            job(jobDeploymentStatus="Failed", reason="SubmissionFailed", jobStatus="RUNNING"),
            True,
            id="its head was lost",
        ),
        pytest.param(
            job(jobDeploymentStatus="Failed", reason="PreRunningDeadlineExceeded"),
            False,
            id="it never started",
        ),
        pytest.param(
            job(jobDeploymentStatus="Failed", reason="DeadlineExceeded"), False, id="it ran too long"
        ),
        pytest.param(job(jobDeploymentStatus="ValidationFailed"), False, id="KubeRay refuses it"),
        pytest.param(
            job(jobDeploymentStatus="Complete", jobStatus="STOPPED"), False, id="somebody stopped it"
        ),
    ],
)
def test_only_what_may_end_otherwise_is_worth_another_try(seen: Json, want: bool) -> None:
    assert look(seen).may_heal is want


KILLED = job(
    jobDeploymentStatus="Failed",
    jobStatus="FAILED",
    reason="AppFailed",
    message="Job entrypoint command failed with exit code 137, last available logs:\nKilled",
)


UNTOLD = (
    "its driver was killed (exit code 137), most often because the memory of its head pod ran out: read the "
    "end of its log, and what else ran on the head's node"
)


def head(**state: Any) -> Json:
    labels = {"ray.io/node-type": "head"}
    status = {"containerStatuses": [{"name": "ray-head", "image": "r.example/a:1", **state}]}
    return {"metadata": {"labels": labels}, "status": status}


@pytest.mark.parametrize(
    ("pods", "reason", "want"),
    [
        pytest.param(
            [],
            Reason.KILLED,
            UNTOLD,
            id="nobody knows by whom",
        ),
        pytest.param(
            [head(lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}}, ready=False)],
            Reason.OUT_OF_MEMORY,
            "its driver was killed (exit code 137): the container ray-head of the head pod was killed for "
            "using more memory than it may",
            id="its pod says that it was for memory",
        ),
        pytest.param(
            [head(state={"terminated": {"exitCode": 137, "reason": "Error"}}, ready=False)],
            Reason.KILLED,
            UNTOLD,
            id="its pod was killed as well",
        ),
    ],
)
def test_a_driver_that_was_killed_ran_out_of_memory_only_if_its_pod_says_so(
    pods: list[Json], reason: Reason, want: str
) -> None:
    observed = look(KILLED, pods=pods)

    assert said(observed) == (JobPhase.FAILED, reason, want)
    assert observed.may_heal


def test_the_pods_are_read_of_a_driver_that_was_killed() -> None:
    assert look(KILLED).pods_to_read == "ray.io/cluster=a-run-x"


def test_a_job_that_is_forgotten_past_its_deadline_is_ended_and_has_to_be_deleted() -> None:
    seen = job(jobDeploymentStatus="Running", jobStatus="RUNNING")

    looks = [look(seen, after=seconds) for seconds in (3659, 3660)]

    assert [(each.phase, each.reason, each.is_leaking) for each in looks] == [
        (JobPhase.RUNNING, Reason.RUNNING, False),
        (JobPhase.FAILED, Reason.DEADLINE_EXCEEDED, True),
    ]
    assert looks[0].valid_until == T0 + timedelta(seconds=3660)
