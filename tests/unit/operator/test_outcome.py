"""What runs and extractors say where the recordings, of one attempt and one version, have no example."""

import pytest

from extractor_apis.conditions import ConditionType, Outcome, Reason, summarise
from extractor_operator.kuberay.job import GONE, JobObservation, JobPhase
from extractor_operator.kuberay.outcome import run_outcome, serving_outcome
from extractor_operator.kuberay.service import GONE as NO_SERVICE
from extractor_operator.kuberay.service import ServiceObservation, ServicePhase

LOST = JobObservation(JobPhase.LOST, Reason.HEAD_LOST, "its head was lost")
REFUSED = JobObservation(JobPhase.FAILED, Reason.WORKLOAD_REFUSED, "refused", may_heal=False)
STARTING = JobObservation(JobPhase.STARTING, Reason.IMAGE_PULL_FAILED, "no image")
DONE = JobObservation(JobPhase.SUCCEEDED, Reason.SUCCEEDED, "done")

RUNS = ServiceObservation(
    ServicePhase.RUNNING, Reason.RUNNING, "it is running", answers=True, is_settled=True
)
FRESH = ServiceObservation(ServicePhase.STARTING, Reason.STARTING, "it starts")
BROKEN = ServiceObservation(ServicePhase.FAILED, Reason.DEPLOY_FAILED, "it raises")
SUSPENDED = ServiceObservation(ServicePhase.SUSPENDED, Reason.SUSPENDED, "suspended", is_settled=True)
QUEUED = ServiceObservation(ServicePhase.SUSPENDED, Reason.QUEUED, "in a queue", is_settled=True)


def said(outcome: Outcome) -> str:
    return " ".join(f"{stage.type}={stage.status}/{stage.reason}" for stage in summarise(outcome, "done"))


@pytest.mark.parametrize(
    ("job", "attempt", "want"),
    [
        pytest.param(
            STARTING,
            1,
            "Ready=False/ImagePullFailed Reconciling=True/ImagePullFailed Succeeded=Unknown/Starting",
            id="what starts",
        ),
        pytest.param(
            LOST,
            1,
            "Ready=False/HeadLost Reconciling=True/HeadLost Succeeded=Unknown/Retrying",
            id="a first loss",
        ),
        pytest.param(
            LOST, 3, "Ready=False/HeadLost Stalled=True/HeadLost Succeeded=False/Failed", id="the last"
        ),
        pytest.param(
            REFUSED,
            1,
            "Ready=False/WorkloadRefused Stalled=True/WorkloadRefused Succeeded=False/Failed",
            id="what another try cannot mend",
        ),
        pytest.param(
            GONE,
            2,
            "Ready=False/WorkloadGone Reconciling=True/WorkloadGone Succeeded=Unknown/Retrying",
            id="what somebody deleted",
        ),
        pytest.param(DONE, 2, "Ready=True/Succeeded Succeeded=True/Succeeded", id="what has succeeded"),
    ],
)
def test_a_run_says_where_it_is_and_why(job: JobObservation, attempt: int, want: str) -> None:
    assert said(run_outcome(job, attempt=attempt, attempts=3)) == want


def test_a_run_that_is_tried_again_says_which_attempt_failed_of_how_many() -> None:
    outcome = run_outcome(LOST, attempt=1, attempts=3)

    assert outcome.reconciling
    assert outcome.reconciling.message == "attempt 1 of 3 failed, and another follows: its head was lost"


@pytest.mark.parametrize("job", [STARTING, LOST, GONE])
def test_a_cancelled_run_is_cancelled_whatever_its_job_does(job: JobObservation) -> None:
    outcome = run_outcome(job, attempt=1, attempts=3, is_cancelled=True)

    assert said(outcome) == "Ready=False/Cancelled Stalled=True/Cancelled Succeeded=False/Cancelled"


def test_a_run_that_had_succeeded_when_it_was_cancelled_has_succeeded() -> None:
    outcome = run_outcome(DONE, attempt=1, attempts=3, is_cancelled=True)

    assert said(outcome) == "Ready=True/Succeeded Succeeded=True/Succeeded"


@pytest.mark.parametrize(
    ("asked", "active", "active_version", "want"),
    [
        pytest.param(
            FRESH,
            None,
            None,
            "Ready=False/Starting Reconciling=True/Starting Available=False/Starting",
            id="the first version starts",
        ),
        pytest.param(
            RUNS, RUNS, "2.0.0", "Ready=True/Succeeded Available=True/Succeeded", id="it was promoted"
        ),
        pytest.param(
            RUNS,
            RUNS,
            "1.0.0",
            "Ready=False/Running Reconciling=True/Running Available=True/Succeeded",
            id="it runs and is not promoted yet",
        ),
        pytest.param(
            FRESH,
            RUNS,
            "1.0.0",
            "Ready=False/Starting Reconciling=True/Starting Available=True/Succeeded",
            id="a rollout",
        ),
        pytest.param(
            BROKEN,
            RUNS,
            "1.0.0",
            "Ready=False/DeployFailed Stalled=True/DeployFailed Available=True/Succeeded",
            id="a rollout that failed",
        ),
        pytest.param(
            NO_SERVICE,
            RUNS,
            "1.0.0",
            "Ready=False/WorkloadGone Reconciling=True/WorkloadGone Available=True/Succeeded",
            id="a rollout that somebody deleted",
        ),
        pytest.param(
            QUEUED,
            None,
            None,
            "Ready=False/Queued Reconciling=True/Queued Available=False/Queued",
            id="a queue",
        ),
    ],
)
def test_an_extractor_says_what_answers_and_what_is_on_its_way(
    asked: ServiceObservation, active: ServiceObservation | None, active_version: str | None, want: str
) -> None:
    assert said(serving_outcome(asked, active, version="2.0.0", active_version=active_version)) == want


def test_a_failed_rollout_names_both_versions() -> None:
    outcome = serving_outcome(BROKEN, RUNS, version="2.0.0", active_version="1.0.0")

    assert outcome.stalled
    assert outcome.stalled.message == "2.0.0: it raises; 1.0.0 answers meanwhile"


@pytest.mark.parametrize(
    ("asked", "want"),
    [
        pytest.param(
            RUNS,
            "Ready=False/Suspended Reconciling=True/Suspended Available=False/Suspended",
            id="still runs",
        ),
        pytest.param(SUSPENDED, "Ready=True/Succeeded Available=False/Suspended", id="is suspended"),
        pytest.param(QUEUED, "Ready=True/Succeeded Available=False/Suspended", id="has a queue too"),
        pytest.param(NO_SERVICE, "Ready=True/Succeeded Available=False/Suspended", id="is gone"),
    ],
)
def test_a_suspended_extractor_is_ready_once_nothing_runs(asked: ServiceObservation, want: str) -> None:
    outcome = serving_outcome(asked, asked, version="1.0.0", active_version="1.0.0", is_suspended=True)

    assert said(outcome) == want


def test_other_stages_are_kept() -> None:
    other = summarise(Outcome(), "done")

    outcomes = [
        run_outcome(LOST, attempt=3, attempts=3, stages=other),
        serving_outcome(RUNS, RUNS, version="1.0.0", active_version="1.0.0", stages=other),
    ]

    assert [outcome.stages[-1].type for outcome in outcomes] == [ConditionType.READY] * 2
