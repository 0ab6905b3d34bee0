"""A RayJob, read into one phase and one sentence.

KubeRay's `jobDeploymentStatus` decides; Ray's own `jobStatus` comes earlier, stays behind when KubeRay gives
up, and is not a closed list. Where KubeRay forgets a job, or its own deadline, the clock decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from extractor_apis import naming
from extractor_apis.conditions import Reason
from extractor_operator.kuberay import cause, job_end, objects
from extractor_operator.kuberay.job_end import End, How

_GRACE = timedelta(seconds=60)
"""What KubeRay may be late with its own deadlines."""
_QUIET = timedelta(seconds=15)
"""A healthy start takes 12 s: before that nobody has to ask why it is not over."""
_READ_AGAIN = timedelta(seconds=30)
_TAKE_UP = timedelta(seconds=30)
_HEAD_LOST = timedelta(seconds=300)
"""As long as KubeRay itself waits for a head that does not answer."""

_ANSWERS = {"RUNNING", "SUCCEEDED", "FAILED", "STOPPED"}
_EXPLAINED_BY_PODS = {Reason.DEADLINE_EXCEEDED, Reason.HEAD_LOST, Reason.SUBMISSION_FAILED, Reason.KILLED}


class JobPhase(StrEnum):
    """Where a RayJob is."""

    GONE = "Gone"
    """There is none, or it is being deleted."""
    QUEUED = "Queued"
    """It is suspended; Kueue, or whoever suspended it, lets it start."""
    STARTING = "Starting"
    """Its cluster is being made, or its code is about to begin."""
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    LOST = "Lost"
    """It was running, and its head is gone: nobody knows how far it came."""
    STOPPED = "Stopped"
    """Somebody stopped it through Ray."""


@dataclass(frozen=True)
class JobObservation:
    """What a RayJob's objects say at a moment."""

    phase: JobPhase
    reason: Reason
    message: str
    """One sentence, the same for the same cause."""
    cluster_name: str | None = None
    """Its RayCluster."""
    pods_to_read: str | None = None
    """Label selector of the pods that may tell why it is so; None where nothing is to be explained."""
    started: datetime | None = None
    ended: datetime | None = None
    is_leaking: bool = False
    """KubeRay will not remove what it holds: the RayJob has to be deleted."""
    may_heal: bool = True
    """Whether the same again could end otherwise."""
    valid_until: datetime | None = None
    """Look again by then: time alone, or pods that nobody watches, may change what this says."""

    @property
    def is_final(self) -> bool:
        """Tell whether this RayJob will do nothing more."""
        return self.phase not in {JobPhase.QUEUED, JobPhase.STARTING, JobPhase.RUNNING}

    @property
    def has_to_go(self) -> bool:
        """Tell whether a run that has ended leaves it at work, or keeps what KubeRay will not remove."""
        return not self.is_final or self.is_leaking


STARTING = JobObservation(JobPhase.STARTING, Reason.STARTING, "its Ray cluster starts, and then its code")
"""What is said of a RayJob while nothing more is known, from before it is made."""
GONE = JobObservation(JobPhase.GONE, Reason.WORKLOAD_GONE, "its RayJob is gone: somebody deleted it")
_AGAIN = JobObservation(
    JobPhase.STARTING, Reason.TRYING_AGAIN, "KubeRay starts it again, after an attempt that failed"
)


def observe_job(
    job: dict[str, Any] | None,
    cluster: dict[str, Any] | None,
    pods: Sequence[dict[str, Any]],
    *,
    now: datetime,
) -> JobObservation:
    """Say how a RayJob is, from itself, and from its RayCluster and pods where those were read."""
    if job is None:
        return GONE
    rayjob = objects.RayJob.model_validate(job)
    if rayjob.metadata.deletion_timestamp:
        return GONE
    signs = objects.RayCluster.model_validate(cluster).status if cluster else rayjob.status.ray_cluster_status
    scene = _Scene(rayjob, signs, tuple(map(objects.Pod.model_validate, pods)), now)
    end = job_end.read_end(rayjob, signs, scene.pods)
    if end:
        return scene.ended(end)
    if rayjob.spec.suspend:
        return _queued(rayjob)
    if rayjob.status.job_deployment_status == "Running" and rayjob.status.job_status not in {"", "PENDING"}:
        return scene.running()
    return scene.starting()


def _queued(job: objects.RayJob) -> JobObservation:
    queue = job.metadata.labels.get(naming.QUEUE_LABEL)
    if queue:
        return JobObservation(
            JobPhase.QUEUED, Reason.QUEUED, f"it waits in the queue {queue} until Kueue lets it start"
        )
    message = f"the RayJob {job.metadata.name} is suspended: it starts when its spec.suspend is false"
    return JobObservation(JobPhase.QUEUED, Reason.SUSPENDED, message)


@dataclass(frozen=True)
class _Scene:
    """All that is known of a RayJob at a moment."""

    job: objects.RayJob
    signs: objects.Signs
    pods: tuple[objects.Pod, ...]
    now: datetime

    def ended(self, end: End) -> JobObservation:
        status, spec = self.job.status, self.job.spec
        return JobObservation(
            JobPhase(end.how),
            end.reason,
            end.message,
            cluster_name=status.ray_cluster_name or None,
            pods_to_read=self._selector if end.reason in _EXPLAINED_BY_PODS else None,
            started=status.start_time,
            ended=status.end_time,
            is_leaking=end.is_leaking or not (spec.shutdown_after_job_finishes or spec.deletion_strategy),
            may_heal=end.may_heal,
        )

    def starting(self) -> JobObservation:
        status, since = self.job.status, self._since
        is_known = bool(status.model_fields_set)
        if is_known and status.job_deployment_status not in {"Initializing", "Waiting", "Running"}:
            # It is on its way out of a suspension or a failed attempt, whose start time it has still.
            return _AGAIN if status.failed else STARTING
        deadline = since + job_end.start_limit(self.job) + _GRACE
        if not is_known and self.now >= since + _TAKE_UP:
            return self._not_taken_up(deadline)
        if self.now >= deadline:
            return self._forgotten(job_end.never_started(self.job, self.signs, self.pods))
        found = cause.find_cause(self.signs, self.pods)
        if found:
            return self._under_way(JobPhase.STARTING, found.reason, found.message, deadline)
        return self._under_way(JobPhase.STARTING, Reason.STARTING, STARTING.message, deadline)

    def running(self) -> JobObservation:
        # That the job is over, Ray says some seconds before KubeRay does.
        deadline, lost = self._since + job_end.run_limit(self.job) + _GRACE, self._head_lost_since
        if self.now >= deadline:
            return self._forgotten(job_end.ran_too_long(self.job))
        if lost is None:
            return self._under_way(JobPhase.RUNNING, Reason.RUNNING, "it is running", deadline)
        if self.now >= lost + _HEAD_LOST:
            return self._forgotten(job_end.head_lost(self.signs, self.pods))
        message = "its head pod is gone, or does not answer"
        return self._under_way(JobPhase.RUNNING, Reason.HEAD_LOST, message, lost + _HEAD_LOST)

    def _not_taken_up(self, deadline: datetime) -> JobObservation:
        message = "KubeRay does not act on its RayJob: see that its operator runs and watches this namespace"
        if self.now >= deadline:
            return self._forgotten(End(How.FAILED, Reason.NOT_TAKEN_UP, message))
        return self._under_way(JobPhase.STARTING, Reason.NOT_TAKEN_UP, message, deadline)

    def _forgotten(self, end: End) -> JobObservation:
        """End what KubeRay did not; it will not remove that either."""
        return self.ended(End(end.how, end.reason, end.message, end.may_heal, is_leaking=True))

    def _under_way(self, phase: JobPhase, reason: Reason, message: str, deadline: datetime) -> JobObservation:
        status, is_quiet = self.job.status, self.now < self._since + _QUIET
        selector = None if is_quiet or reason is Reason.RUNNING else self._selector
        turns = [deadline]
        if phase is JobPhase.STARTING:
            turns += [self._since + _QUIET, self._since + _TAKE_UP]
        if selector:
            turns.append(self.now + _READ_AGAIN)
        return JobObservation(
            phase,
            reason,
            message,
            cluster_name=status.ray_cluster_name or None,
            pods_to_read=selector,
            started=status.start_time,
            valid_until=min(turn for turn in turns if turn > self.now),
        )

    @property
    def _head_lost_since(self) -> datetime | None:
        """Since when KubeRay cannot ask the head; None if it can, or the job is over."""
        status = self.job.status
        if status.job_status_check_failure_start_time:
            return status.job_status_check_failure_start_time
        if status.job_status in _ANSWERS:
            return None
        # Through a proxy, an error of the proxy's takes the place of the job's status.
        head = self.signs.find(cause.HEAD_POD_READY)
        is_down = head is not None and head.status == "False"
        return (head and is_down and head.last_transition_time) or self.now

    @property
    def _selector(self) -> str | None:
        """Select the submitter's pod while it hands the job over, and the cluster's pods before and after."""
        status = self.job.status
        is_handed = status.job_deployment_status == "Running" or status.reason == "SubmissionFailed"
        if is_handed and not status.job_status:
            return f"job-name={self.job.metadata.name}"
        return f"ray.io/cluster={status.ray_cluster_name}" if status.ray_cluster_name else None

    @property
    def _since(self) -> datetime:
        return self.job.status.start_time or self.job.metadata.creation_timestamp or self.now
