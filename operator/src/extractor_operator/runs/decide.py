"""What becomes of a run, from what is known of it: the next RayJob, the end of one, or the end of all.

One ExtractorRun is one RayJob at a time. KubeRay retries nothing; an attempt that failed is counted, told,
and done again after a while, from the checkpoints of the one before. All of it is pure.
"""

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta

from extractor_apis import conditions
from extractor_apis.conditions import ConditionType, Outcome, Reason, Stage
from extractor_apis.extractor import Deadlines
from extractor_apis.extractorrun import ExtractorRun, ExtractorRunStatus
from extractor_apis.resource import ConditionStatus
from extractor_apis.run import RunPhase, RunState
from extractor_operator import times
from extractor_operator.kuberay.job import STARTING, JobObservation, JobPhase
from extractor_operator.kuberay.outcome import run_outcome
from extractor_operator.kuberay.wording import quote
from extractor_operator.runs import progress

_LEAST_SECONDS, _MOST_SECONDS = 10.0, 30.0
"""Between looks at pods, or at the results, of which nothing tells us."""
_OF_ITS_AGE = 1 / 20
"""What has taken long already may wait longer: a thousand of them may."""
_REMOVING_SECONDS = 5.0
_LEAST_BACKOFF = timedelta(seconds=10)
_MOST_BACKOFF = timedelta(minutes=5)
_WORDS = 800
"""Characters of what a run says of its end."""
_STATE_PATIENCE = timedelta(minutes=1)
"""For the state of a run that has ended to be seen by us."""


@dataclass(frozen=True)
class Facts:
    """What is known of a run."""

    run: ExtractorRun
    job: JobObservation
    """Of the RayJob of the attempt that is, or was the last; GONE without one."""
    state: RunState | None
    """What the run itself has told last."""
    retries: int
    """How often a run is done again that fails as a whole."""
    deadlines: Deadlines
    now: datetime


@dataclass(frozen=True)
class Decision:
    """What to do, and what to say."""

    status: ExtractorRunStatus
    """Without its conditions."""
    outcome: Outcome
    submit: int | None = None
    """The attempt whose RayJob is to be made."""
    remove: bool = False
    """Whether the RayJob that is there has to go."""


def decide(facts: Facts) -> Decision:
    """Say what becomes of a run whose collection, extractor and version are there."""
    run, job = facts.run, facts.job
    status = progress.follow(run.status, facts.state)
    if run.status.finished:
        return Decision(run.status, _as_it_was(run), remove=job.has_to_go)
    if run.spec.cancel and job.phase is not JobPhase.SUCCEEDED:
        return _cancel(facts, status)
    if not run.status.attempts:
        return _submit(facts, status, 1)
    if run.status.retry_after:
        return _between(facts, status)
    if job.phase is JobPhase.RUNNING and (stuck := _stuck(facts, status)):
        return _fail(facts, status, stuck)
    if not job.is_final:
        if job.phase is not JobPhase.RUNNING:
            # What it told was before it was preempted.
            status = status.model_copy(update={"eta": None})
        return Decision(status, _outcome(facts, job, _look_again(facts, status)))
    if job.phase is JobPhase.SUCCEEDED:
        return _succeed(facts, status)
    return _fail(facts, status, _told(facts, job))


def give_up(run: ExtractorRun, now: datetime) -> ExtractorRunStatus:
    """End a run of which nothing more can be made."""
    return run.status.model_copy(update={"finished": times.write(now), "retry_after": None, "eta": None})


def _submit(facts: Facts, status: ExtractorRunStatus, attempt: int) -> Decision:
    status = status.model_copy(
        update={"attempts": attempt, "submitted": times.write(facts.now), "retry_after": None}
    )
    outcome = run_outcome(STARTING, attempt=attempt, attempts=facts.retries + 1)
    return Decision(status, dataclasses.replace(outcome, after=_LEAST_SECONDS), submit=attempt)


def _cancel(facts: Facts, status: ExtractorRunStatus) -> Decision:
    if facts.job.phase is not JobPhase.GONE:
        stage = Stage(
            ConditionType.RECONCILING,
            ConditionStatus.TRUE,
            Reason.CANCELLED,
            "cancelled; its RayJob is being removed",
        )
        return Decision(status, Outcome(reconciling=stage, after=_REMOVING_SECONDS), remove=True)
    outcome = run_outcome(facts.job, attempt=status.attempts or 0, attempts=0, is_cancelled=True)
    return Decision(_finished(facts, status), outcome)


def _between(facts: Facts, status: ExtractorRunStatus) -> Decision:
    """Wait for the time of the next attempt, and for the last one to be over: two would do the same work."""
    due = times.read(facts.run.status.retry_after or "")
    if facts.job.has_to_go:
        return Decision(status, _as_it_was(facts.run, after=_REMOVING_SECONDS), remove=True)
    if facts.now < due:
        return Decision(status, _as_it_was(facts.run, after=(due - facts.now).total_seconds()))
    return _submit(facts, status, (status.attempts or 0) + 1)


def _succeed(facts: Facts, status: ExtractorRunStatus) -> Decision:
    state = facts.state
    if state is not None and state.phase is RunPhase.COMPLETED:
        return Decision(_finished(facts, status), _outcome(facts, facts.job))
    ended = facts.job.ended or facts.now
    if facts.now < ended + _STATE_PATIENCE:
        waiting = JobObservation(JobPhase.RUNNING, Reason.RUNNING, "it has ended; reading what it published")
        return Decision(status, _outcome(facts, waiting, _REMOVING_SECONDS))
    told = f"its state says {state.phase}" if state else "it left no state"
    message = (
        f"the RayJob succeeded, but {told}: is `cluster.results` of the operator's settings the volume "
        "that its pods write to?"
    )
    return _fail(facts, status, JobObservation(JobPhase.FAILED, Reason.APP_FAILED, message))


def _fail(facts: Facts, status: ExtractorRunStatus, job: JobObservation) -> Decision:
    attempt = status.attempts or 1
    outcome = run_outcome(job, attempt=attempt, attempts=facts.retries + 1)
    # What has to go goes once it is told why: without it, nobody could say.
    again = 0.0 if facts.job.has_to_go else None
    if outcome.stalled:
        return Decision(_finished(facts, status), dataclasses.replace(outcome, after=again))
    pause = min(_LEAST_BACKOFF * 2 ** (attempt - 1), _MOST_BACKOFF)
    status = status.model_copy(update={"retry_after": times.write(facts.now + pause), "eta": None})
    after = pause.total_seconds() if again is None else again
    return Decision(status, dataclasses.replace(outcome, after=after))


def _stuck(facts: Facts, status: ExtractorRunStatus) -> JobObservation | None:
    """Say that nothing has come of a run for too long."""
    seconds = facts.deadlines.no_progress_seconds
    told = (times.read(each) for each in (status.submitted, status.started, status.progressed) if each)
    # KubeRay's start is another one each time that Kueue lets it start: waiting in a queue has no deadline.
    since = max((*told, *filter(None, [facts.job.started])))
    if facts.now - since < timedelta(seconds=seconds):
        return None
    at = f"{status.done or 0} of {status.total}" if status.total else "no"
    message = (
        f"no object was done for {times.say(seconds)}, after {at} objects: see the logs for where it stands; "
        "if objects take that long, raise the extractor's deadlines.noProgressSeconds"
    )
    return JobObservation(JobPhase.FAILED, Reason.NO_PROGRESS, message)


def _told(facts: Facts, job: JobObservation) -> JobObservation:
    """Let the run's own words stand for what KubeRay has of its driver's output."""
    state = facts.state
    if job.reason is not Reason.APP_FAILED or state is None or state.phase is not RunPhase.FAILED:
        return job
    if not (state.message and progress.is_of_this_attempt(facts.run.status, state)):
        return job
    return dataclasses.replace(job, message=quote(state.message, _WORDS))


def _outcome(facts: Facts, job: JobObservation, after: float | None = None) -> Outcome:
    outcome = run_outcome(job, attempt=facts.run.status.attempts or 1, attempts=facts.retries + 1)
    return dataclasses.replace(outcome, after=after)


def _look_again(facts: Facts, status: ExtractorRunStatus) -> float:
    began = times.read(status.submitted) if status.submitted else facts.now
    age = (facts.now - began).total_seconds()
    seconds = min(max(_LEAST_SECONDS, _OF_ITS_AGE * age), _MOST_SECONDS)
    if facts.job.valid_until:
        seconds = min(seconds, max(1.0, (facts.job.valid_until - facts.now).total_seconds()))
    return seconds


def _finished(facts: Facts, status: ExtractorRunStatus) -> ExtractorRunStatus:
    return status.model_copy(
        update={"finished": times.write(facts.job.ended or facts.now), "retry_after": None, "eta": None}
    )


def _as_it_was(run: ExtractorRun, after: float | None = None) -> Outcome:
    """Say what was said last: its cause is gone with the pods that had it."""
    stages = {each.type: conditions.stage_of(each) for each in run.status.conditions}
    stages.pop(ConditionType.READY, None)
    reconciling, stalled = (
        stages.pop(each, None) for each in (ConditionType.RECONCILING, ConditionType.STALLED)
    )
    return Outcome(tuple(stages.values()), reconciling, stalled, after)
