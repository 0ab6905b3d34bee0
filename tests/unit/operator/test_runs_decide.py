"""What becomes of a run: the next RayJob, the end of one, or the end of all."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from extractor_apis.conditions import ConditionType, Outcome, Reason, Stage, merge, summarise
from extractor_apis.extractor import Deadlines
from extractor_apis.extractorrun import ExtractorRun
from extractor_apis.run import RunPhase, RunState
from extractor_operator.kuberay.job import JobObservation, JobPhase
from extractor_operator.kuberay.rayjob import job_name
from extractor_operator.runs.adoption import adopt
from extractor_operator.runs.decide import Decision, Facts, decide
from support import made

GONE = JobObservation(JobPhase.GONE, Reason.WORKLOAD_GONE, "the RayJob was deleted")
STARTING = JobObservation(JobPhase.STARTING, Reason.STARTING, "its cluster is being made")
RUNNING = JobObservation(JobPhase.RUNNING, Reason.RUNNING, "it is running")
FAILED = JobObservation(JobPhase.FAILED, Reason.APP_FAILED, "exit code 1")
HOPELESS = JobObservation(JobPhase.FAILED, Reason.IMAGE_PULL_FAILED, "no such image", may_heal=False)
DONE = JobObservation(JobPhase.SUCCEEDED, Reason.SUCCEEDED, "it succeeded", ended=made.NOW)
LEAKING = JobObservation(JobPhase.FAILED, Reason.WORKLOAD_REFUSED, "invalid", is_leaking=True)

UNDER_WAY = {"attempts": 1, "job": "news-1-1", "submitted": made.at(0)}


def state(phase: RunPhase = RunPhase.RUNNING, **known: Any) -> RunState:
    told = {"started": made.NOW, "updated": made.NOW, **known}
    return RunState(run_id="news-1", phase=phase, **told)


def facts(
    run: ExtractorRun,
    job: JobObservation,
    *,
    after: float = 0,
    told: RunState | None = None,
    retries: int = 2,
) -> Facts:
    now = made.NOW + timedelta(seconds=after)
    return Facts(run, job, told, retries, Deadlines(no_progress_seconds=600), now)


def after(run: ExtractorRun, decision: Decision) -> ExtractorRun:
    """Give the run with the status that a decision makes."""
    stages = summarise(decision.outcome, "done")
    known = merge(run.status.conditions, stages, generation=1, now=made.at(0))
    return run.model_copy(update={"status": decision.status.model_copy(update={"conditions": known})})


def says(outcome: Outcome) -> tuple[str, str]:
    """Give the state of a run, and why it is so."""
    succeeded = next(stage for stage in outcome.stages if stage.type is ConditionType.SUCCEEDED)
    ended = outcome.stalled or outcome.reconciling
    return succeeded.reason, ended.reason if ended else ""


def test_a_new_run_has_its_first_rayjob_made() -> None:
    decision = decide(facts(made.run(), GONE))

    assert (decision.submit, decision.status.attempts, decision.status.submitted) == (1, 1, made.at(0))
    assert says(decision.outcome) == ("Starting", "Starting")


@pytest.mark.parametrize(
    ("job", "told", "want", "want_after"),
    [
        pytest.param(STARTING, None, ("Starting", "Starting"), 10, id="pods tell nothing: they are asked"),
        pytest.param(RUNNING, state(), ("Running", "Running"), 10, id="progress is read now and then"),
    ],
)
def test_a_rayjob_under_way_is_followed(
    job: JobObservation, told: RunState | None, want: tuple[str, str], want_after: float
) -> None:
    decision = decide(facts(made.run(status=UNDER_WAY), job, told=told))

    assert (says(decision.outcome), decision.outcome.after) == (want, want_after)
    assert (decision.submit, decision.remove) == (None, False)


@pytest.mark.parametrize("job", [STARTING, RUNNING], ids=["that starts", "that runs"])
@pytest.mark.parametrize(("age", "want"), [(0, 10), (400, 20), (3600, 30)])
def test_a_run_is_looked_at_less_often_the_longer_it_takes(
    job: JobObservation, age: float, want: float
) -> None:
    told = state(updated=made.NOW + timedelta(seconds=age), objects_done=1)

    assert decide(facts(made.run(status=UNDER_WAY), job, after=age, told=told)).outcome.after == want


def test_what_a_run_tells_is_in_its_status() -> None:
    told = state(objects_todo=200, objects_done=50, objects_failed=2, documents=61, seconds_left=240.0)

    status = decide(facts(made.run(status=UNDER_WAY), RUNNING, told=told)).status

    assert (status.total, status.done, status.failed, status.written) == (200, 50, 2, 61)
    assert (status.progress, status.eta, status.progressed) == ("25 %", "4 min", made.at(0))


def test_what_an_attempt_before_has_told_is_not_taken_for_this_one() -> None:
    run = made.run(status={**UNDER_WAY, "attempts": 2, "submitted": made.at(600), "done": 7})

    status = decide(facts(run, RUNNING, after=600, told=state(objects_done=3))).status

    assert status.done == 7


def test_a_run_succeeds_when_the_rayjob_has_and_its_state_says_so() -> None:
    run = made.run(status=UNDER_WAY)

    decision = decide(facts(run, DONE, after=5, told=state(RunPhase.COMPLETED)))

    assert (says(decision.outcome), decision.status.finished) == (("Succeeded", ""), made.at(0))


@pytest.mark.parametrize(
    ("seconds", "want"),
    [
        pytest.param(5, ("Running", "Running"), id="for a minute, its state may be on its way"),
        pytest.param(61, ("Retrying", "AppFailed"), id="after that it is a failure"),
    ],
)
def test_a_rayjob_that_succeeded_without_a_state_is_not_believed(
    seconds: float, want: tuple[str, str]
) -> None:
    decision = decide(facts(made.run(status=UNDER_WAY), DONE, after=seconds))

    assert (says(decision.outcome), decision.status.finished) == (want, None)


def test_an_attempt_that_fails_is_done_again_after_a_while() -> None:
    run = made.run(status=UNDER_WAY)

    failed = decide(facts(run, FAILED))
    waiting = decide(facts(after(run, failed), FAILED, after=5))
    again = decide(facts(after(run, failed), FAILED, after=10))

    assert (says(failed.outcome), failed.status.retry_after) == (("Retrying", "AppFailed"), made.at(10))
    assert (waiting.submit, says(waiting.outcome), waiting.outcome.after) == (
        None,
        ("Retrying", "AppFailed"),
        5,
    )
    assert (again.submit, again.status.attempts, again.status.retry_after) == (2, 2, None)


@pytest.mark.parametrize(
    ("job", "retries"),
    [
        pytest.param(FAILED, 0, id="without retries"),
        pytest.param(HOPELESS, 2, id="what cannot end otherwise"),
    ],
)
def test_the_last_attempt_ends_the_run(job: JobObservation, retries: int) -> None:
    decision = decide(facts(made.run(status=UNDER_WAY), job, retries=retries))

    assert (says(decision.outcome), decision.status.finished) == (("Failed", job.reason), made.at(0))


def test_the_runs_own_words_say_why_it_failed() -> None:
    told = state(RunPhase.FAILED, message="12 of 40 objects failed, more than the error budget of 10")

    decision = decide(facts(made.run(status=UNDER_WAY), FAILED, told=told, retries=0))

    assert decision.outcome.stalled and decision.outcome.stalled.message == told.message


@pytest.mark.parametrize(
    ("told", "want"),
    [
        pytest.param(state(RunPhase.FAILED, message="token=hunter2 \x07"), "token=… ?", id="a secret"),
        pytest.param(
            state(RunPhase.FAILED, message="m", started=made.NOW - timedelta(hours=1)),
            FAILED.message,
            id="what an attempt before has said",
        ),
    ],
)
def test_not_all_that_a_run_says_is_repeated(told: RunState, want: str) -> None:
    decision = decide(facts(made.run(status=UNDER_WAY), FAILED, told=told, retries=0))

    assert decision.outcome.stalled and decision.outcome.stalled.message == want


@pytest.mark.parametrize(
    ("status", "attempt"),
    [
        pytest.param({}, 1, id="the first"),
        pytest.param({**UNDER_WAY, "retryAfter": made.at(9)}, 2, id="a later one"),
    ],
)
def test_a_rayjob_that_was_made_and_not_told_can_be_cancelled(status: Any, attempt: int) -> None:
    run = made.run(status=status, cancel=True)
    name = job_name(run, attempt)

    adopted = adopt(run, {name: {"metadata": {"creationTimestamp": made.at(5)}}})

    told = adopted.status
    assert (told.attempts, told.job, told.submitted, told.retry_after) == (attempt, name, made.at(5), None)
    assert decide(facts(adopted, STARTING)).remove


def test_a_rayjob_that_was_told_is_not_counted_twice() -> None:
    run = made.run(status=UNDER_WAY)

    assert adopt(run, {job_name(run, 1): {}}) is run


def test_a_run_without_progress_is_given_up_and_its_rayjob_removed() -> None:
    run = made.run(
        status={**UNDER_WAY, "started": made.at(0), "done": 7, "total": 40, "progressed": made.at(100)}
    )

    before = decide(facts(run, RUNNING, after=699, told=state(objects_done=7, objects_todo=40)))
    given_up = decide(facts(run, RUNNING, after=700, told=state(objects_done=7, objects_todo=40)))
    waiting = decide(facts(after(run, given_up), RUNNING, after=720))
    again = decide(facts(after(run, given_up), GONE, after=720))

    assert (before.remove, given_up.remove, given_up.outcome.after) == (False, False, 0), (
        "told before it goes"
    )
    assert says(given_up.outcome) == ("Retrying", "NoProgress")
    assert (waiting.submit, waiting.remove) == (None, True), "never two RayJobs of one run at once"
    assert (again.submit, again.remove) == (2, False)


def test_a_run_that_waited_long_in_a_queue_has_all_its_time_once_it_starts() -> None:
    waited = 24 * 3600.0
    begun = replace(RUNNING, started=made.NOW + timedelta(seconds=waited))
    run = made.run(status=UNDER_WAY)

    decisions = [decide(facts(run, begun, after=waited + after, told=state())) for after in (1, 601)]

    assert [says(each.outcome)[1] for each in decisions] == ["Running", "NoProgress"]


def test_nobody_knows_how_long_a_run_takes_that_was_preempted() -> None:
    queued = JobObservation(JobPhase.QUEUED, Reason.QUEUED, "it waits in the queue")
    told = state(objects_todo=40, objects_done=10, seconds_left=240.0)

    decision = decide(facts(made.run(status=UNDER_WAY), queued, told=told))

    assert (says(decision.outcome), decision.status.progress, decision.status.eta) == (
        ("Queued", "Queued"),
        "25 %",
        None,
    )


def test_a_rayjob_that_somebody_deleted_is_a_failed_attempt() -> None:
    decision = decide(facts(made.run(status=UNDER_WAY), GONE))

    assert says(decision.outcome) == ("Retrying", "WorkloadGone")


def test_cancelling_removes_the_rayjob_and_then_ends_the_run() -> None:
    run = made.run(status=UNDER_WAY, cancel=True)

    removing, ended = decide(facts(run, RUNNING)), decide(facts(run, GONE))

    assert (removing.remove, removing.status.finished) == (True, None)
    assert (says(ended.outcome), ended.status.finished) == (("Cancelled", "Cancelled"), made.at(0))


def test_a_run_that_was_cancelled_before_it_began_makes_nothing() -> None:
    decision = decide(facts(made.run(cancel=True), GONE))

    assert (decision.submit, says(decision.outcome)) == (None, ("Cancelled", "Cancelled"))


def test_cancelling_what_has_succeeded_changes_nothing() -> None:
    run = made.run(status=UNDER_WAY, cancel=True)

    decision = decide(facts(run, DONE, told=state(RunPhase.COMPLETED)))

    assert says(decision.outcome) == ("Succeeded", "")


def test_what_kuberay_leaks_is_removed_also_after_the_end() -> None:
    run = made.run(status=UNDER_WAY)

    failed = decide(facts(run, LEAKING, retries=0))
    later = decide(facts(after(run, failed), LEAKING, after=60, retries=0))

    assert (failed.remove, failed.outcome.after, later.remove) == (False, 0, True), "told before it goes"


@pytest.mark.parametrize(
    ("job", "told"),
    [
        pytest.param(DONE, state(RunPhase.COMPLETED), id="succeeded"),
        pytest.param(HOPELESS, None, id="failed"),
    ],
)
def test_a_run_that_has_ended_says_the_same_when_its_pods_are_gone(
    job: JobObservation, told: RunState | None
) -> None:
    run = made.run(status=UNDER_WAY)
    ended = after(run, decide(facts(run, job, told=told)))

    later = decide(facts(ended, GONE, after=3600))

    assert after(ended, later).status == ended.status
    assert (later.submit, later.remove, later.outcome.after) == (None, False, None)


def test_pauses_between_attempts_grow_and_stay_bounded() -> None:
    pauses = []
    for attempt in range(1, 9):
        run = made.run(status={**UNDER_WAY, "attempts": attempt})
        pauses.append(decide(facts(run, FAILED, retries=10)).outcome.after)

    assert pauses == [10, 20, 40, 80, 160, 300, 300, 300]


def test_a_stage_that_another_version_wrote_is_no_reason_to_fail() -> None:
    strange = {
        "type": "Ready",
        "status": "False",
        "reason": "NeverHeardOf",
        "message": "m",
        "lastTransitionTime": made.at(0),
        "observedGeneration": 1,
    }
    stalled = {**strange, "type": "Stalled", "status": "True"}
    run = made.run(status={**UNDER_WAY, "finished": made.at(0), "conditions": [strange, stalled]})

    outcome = decide(facts(run, GONE)).outcome

    assert isinstance(outcome.stalled, Stage) and outcome.stalled.reason is Reason.FAILED
