"""How a RayJob ended: KubeRay's verdict, Ray's last word and the state of its pods in one sentence.

KubeRay's verdict decides. Its reasons name what it noticed, not what happened: a submitter that reached its
back-off limit has lost its head.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from extractor_apis.conditions import Reason
from extractor_operator.kuberay import cause, objects
from extractor_operator.kuberay.wording import quote, raised

_START_SECONDS, _RUN_SECONDS = 1800, 86_400
"""Deadlines of a RayJob that has none; those that we make have both."""
_EXIT_CODE = re.compile(r"exit code (?P<code>\d+)")


class How(StrEnum):
    """In which way a RayJob ended; `JobPhase` has the same words."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    LOST = "Lost"
    """Its head was gone while it ran: nobody knows how far it came."""
    STOPPED = "Stopped"


@dataclass(frozen=True)
class End:
    """How and why a RayJob ended."""

    how: How
    reason: Reason
    message: str
    may_heal: bool = True
    """Whether the same again could end otherwise."""
    is_leaking: bool = False
    """KubeRay removes nothing of it."""


def read_end(job: objects.RayJob, signs: objects.Signs, pods: tuple[objects.Pod, ...]) -> End | None:
    """Say how a RayJob ended; None while KubeRay does not say that it did."""
    match job.status.job_deployment_status:
        case "Complete":
            return _complete(job)
        case "Failed":
            return _failed(job, signs, pods)
        case "ValidationFailed":
            # It is final, also when the object is mended, and a cluster that it has stays.
            message = f"KubeRay refuses the RayJob: {quote(job.status.message)}"
            return End(How.FAILED, Reason.WORKLOAD_REFUSED, message, may_heal=False, is_leaking=True)
    return None


def never_started(job: objects.RayJob, signs: objects.Signs, pods: tuple[objects.Pod, ...]) -> End:
    """Say why it did not start in the time that it had; that time was for what heals by itself."""
    found = cause.find_cause(signs, pods)
    reason = found.reason if found else Reason.DEADLINE_EXCEEDED
    why = found.message if found else cause.where_pods_stand(signs, pods)
    seconds = start_limit(job).total_seconds()
    return End(How.FAILED, reason, f"it did not start within {seconds:.0f} s: {why}", may_heal=False)


def ran_too_long(job: objects.RayJob) -> End:
    """Say that it did not end in the time that it had."""
    message = (
        f"it did not end within {run_limit(job).total_seconds():.0f} s, and what it had finished is kept:"
        " raise spec.deadlines.runSeconds of the Extractor"
    )
    return End(How.FAILED, Reason.DEADLINE_EXCEEDED, message, may_heal=False)


def head_lost(signs: objects.Signs, pods: tuple[objects.Pod, ...]) -> End:
    """Say that its head was lost, and why if that is known."""
    found = cause.find_cause(signs, pods)
    why = f": {found.message}" if found else "; what it had finished is kept"
    return End(How.LOST, Reason.HEAD_LOST, f"its head pod was lost while it ran{why}")


def start_limit(job: objects.RayJob) -> timedelta:
    """Say how long it may take until its code runs."""
    return timedelta(seconds=job.spec.pre_running_deadline_seconds or _START_SECONDS)


def run_limit(job: objects.RayJob) -> timedelta:
    """Say how long it may take in all."""
    return timedelta(seconds=job.spec.active_deadline_seconds or _RUN_SECONDS)


def _complete(job: objects.RayJob) -> End:
    how = job.status.job_status
    if how == "SUCCEEDED":
        return End(How.SUCCEEDED, Reason.SUCCEEDED, "it has done what it was to do")
    if how == "STOPPED":
        message = (
            "somebody stopped it through Ray, and what it had finished is kept: start another run to go on"
        )
        # No deletion rule can name STOPPED.
        is_leaking = job.spec.deletion_strategy is not None
        return End(How.STOPPED, Reason.JOB_STOPPED, message, may_heal=False, is_leaking=is_leaking)
    return End(
        How.FAILED, Reason.APP_FAILED, f"it ended as {quote(how) or 'nothing that Ray names'}: read its log"
    )


def _failed(job: objects.RayJob, signs: objects.Signs, pods: tuple[objects.Pod, ...]) -> End:
    status = job.status
    match status.reason:
        case "PreRunningDeadlineExceeded":
            return never_started(job, signs, pods)
        case "DeadlineExceeded":
            return ran_too_long(job)
        case "JobStatusCheckTimeoutExceeded":
            return head_lost(signs, pods)
        # The submitter is made once, and ends with the head that it follows.
        case "SubmissionFailed" if status.job_status not in {"", "PENDING"}:
            return head_lost(signs, pods)
        case "SubmissionFailed":
            found = cause.find_cause(signs, pods)
            reason = found.reason if found else Reason.SUBMISSION_FAILED
            why = found.message if found else quote(status.message)
            return End(How.FAILED, reason, f"it could not be handed to its Ray cluster: {why}")
        case "AppFailed" if "head pod not found" in status.message.lower():
            return head_lost(signs, pods)
        case "AppFailed":
            return _code_failed(status.message, signs, pods)
    why = f"{quote(status.reason) or 'no reason'}: {quote(status.message)}"
    return End(How.FAILED, Reason.APP_FAILED, f"KubeRay gave it up ({why})")


def _code_failed(said: str, signs: objects.Signs, pods: tuple[objects.Pod, ...]) -> End:
    code = _EXIT_CODE.search(said)
    if code and int(code["code"]) == cause.SIGKILL:
        return _killed(cause.find_cause(signs, pods))
    ended = f" (exit code {code['code']})" if code else ""
    return End(How.FAILED, Reason.APP_FAILED, f"its code failed{ended}: {raised(said) or 'it said nothing'}")


def _killed(found: cause.Cause | None) -> End:
    killed = f"its driver was killed (exit code {cause.SIGKILL})"
    if found and found.reason is Reason.OUT_OF_MEMORY:
        return End(How.FAILED, found.reason, f"{killed}: {found.message}")
    # The kernel kills one process of a container, and the pod goes on and says nothing.
    message = (
        f"{killed}, most often because the memory of its head pod ran out: read the end of its log, and what"
        " else ran on the head's node"
    )
    return End(How.FAILED, Reason.KILLED, message)
