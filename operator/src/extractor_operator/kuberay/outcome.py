"""What a run and an extractor say of themselves, from what was observed of their workloads."""

from collections.abc import Sequence

from extractor_apis.conditions import ConditionType, Outcome, Reason, Stage
from extractor_apis.resource import ConditionStatus
from extractor_operator.kuberay.job import JobObservation, JobPhase
from extractor_operator.kuberay.service import ServiceObservation, ServicePhase

_STATES = {
    JobPhase.GONE: Reason.FAILED,
    JobPhase.QUEUED: Reason.QUEUED,
    JobPhase.STARTING: Reason.STARTING,
    JobPhase.RUNNING: Reason.RUNNING,
    JobPhase.SUCCEEDED: Reason.SUCCEEDED,
    JobPhase.FAILED: Reason.FAILED,
    JobPhase.LOST: Reason.FAILED,
    JobPhase.STOPPED: Reason.CANCELLED,
}


def run_outcome(
    job: JobObservation,
    *,
    attempt: int,
    attempts: int,
    is_cancelled: bool = False,
    stages: Sequence[Stage] = (),
) -> Outcome:
    """Say how a run is whose RayJob, the ``attempt``-th of at most ``attempts``, was observed so.

    The reason of `Succeeded` is where the run is; that of `Ready` is why.
    """
    if is_cancelled and job.phase is not JobPhase.SUCCEEDED:
        message = "it was cancelled; what it had finished is kept for the next run"
        return _stalled(Reason.CANCELLED, Reason.CANCELLED, message, stages)
    if job.phase is JobPhase.SUCCEEDED:
        return Outcome((_succeeded(ConditionStatus.TRUE, Reason.SUCCEEDED, job.message), *stages))
    if not job.is_final:
        is_again = job.reason is Reason.TRYING_AGAIN
        return _reconciling(
            Reason.TRYING_AGAIN if is_again else _STATES[job.phase], job.reason, job.message, stages
        )
    if job.may_heal and attempt < attempts:
        message = f"attempt {attempt} of {attempts} failed, and another follows: {job.message}"
        return _reconciling(Reason.TRYING_AGAIN, job.reason, message, stages)
    return _stalled(_STATES[job.phase], job.reason, job.message, stages)


def serving_outcome(
    asked: ServiceObservation,
    active: ServiceObservation | None,
    *,
    version: str,
    active_version: str | None,
    is_suspended: bool = False,
    stages: Sequence[Stage] = (),
) -> Outcome:
    """Say how an extractor is: ``asked`` of the version it is to serve, ``active`` of the one that answers.

    They are the same observation where they are the same version; ``active`` is None while none was promoted.
    ``is_suspended`` is what the extractor asks for: Kueue suspends a RayService too.
    """
    if is_suspended:
        return _suspended(asked, stages)
    available = _available(asked, active, active_version)
    known = (available, *stages)
    is_promoted = version == active_version
    if is_promoted and asked.is_settled and asked.answers:
        return Outcome(known)
    message = f"{version}: {asked.message}"
    if active_version and not is_promoted and available.status is ConditionStatus.TRUE:
        message = f"{message}; {active_version} answers meanwhile"
    if asked.phase is ServicePhase.FAILED:
        return Outcome(
            known, stalled=Stage(ConditionType.STALLED, ConditionStatus.TRUE, asked.reason, message)
        )
    return Outcome(
        known, reconciling=Stage(ConditionType.RECONCILING, ConditionStatus.TRUE, asked.reason, message)
    )


def _suspended(asked: ServiceObservation, stages: Sequence[Stage]) -> Outcome:
    message = "it is suspended, and no version answers"
    known = (Stage(ConditionType.AVAILABLE, ConditionStatus.FALSE, Reason.SUSPENDED, message), *stages)
    is_over = asked.phase is ServicePhase.SUSPENDED and asked.is_settled
    if is_over or asked.phase is ServicePhase.GONE:
        return Outcome(known)
    message = "it is being suspended: pods answer what they have begun, for half a minute at most"
    reconciling = Stage(ConditionType.RECONCILING, ConditionStatus.TRUE, Reason.SUSPENDED, message)
    return Outcome(known, reconciling=reconciling)


def _available(
    asked: ServiceObservation, active: ServiceObservation | None, active_version: str | None
) -> Stage:
    type = ConditionType.AVAILABLE
    if active and active.answers:
        return Stage(type, ConditionStatus.TRUE, Reason.SUCCEEDED, f"{active_version} answers")
    silent = active or asked
    return Stage(type, ConditionStatus.FALSE, silent.reason, f"no version answers: {silent.message}")


def _succeeded(status: ConditionStatus, state: Reason, message: str) -> Stage:
    return Stage(ConditionType.SUCCEEDED, status, state, message)


def _reconciling(state: Reason, reason: Reason, message: str, stages: Sequence[Stage]) -> Outcome:
    stage = Stage(ConditionType.RECONCILING, ConditionStatus.TRUE, reason, message)
    return Outcome((_succeeded(ConditionStatus.UNKNOWN, state, message), *stages), reconciling=stage)


def _stalled(state: Reason, reason: Reason, message: str, stages: Sequence[Stage]) -> Outcome:
    stage = Stage(ConditionType.STALLED, ConditionStatus.TRUE, reason, message)
    return Outcome((_succeeded(ConditionStatus.FALSE, state, message), *stages), stalled=stage)
