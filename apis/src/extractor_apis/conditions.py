"""Conditions: their types and reasons, and how an object's `Ready` follows from them. All of it is pure.

A stage's condition says whether that stage is done. `Ready` is computed last, from all of them; `Reconciling`
and `Stalled` are there only while they are true, so that kstatus, Argo CD and Flux read the object rightly.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from extractor_apis.resource import Condition, ConditionStatus

MESSAGE_CHARACTERS = 1024


class ConditionType(StrEnum):
    """What a condition is about."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    FETCHED = "ArtifactFetched"
    """ExtractorVersion: the source's bytes are here, and are what was asked for."""
    VERIFIED = "SourceVerified"
    """ExtractorVersion: somebody whom `spec.verify` names has signed them; absent where nobody has to."""
    SCANNED = "ScanPassed"
    """ExtractorVersion: the scan accepts them."""
    STORED = "ArtifactStored"
    """ExtractorVersion: what the scan accepted is kept, under its digest."""
    ENVIRONMENT = "EnvironmentReady"
    """ExtractorVersion: image and dependencies are there."""
    AVAILABLE = "Available"
    """Extractor: some version answers."""
    SUCCEEDED = "Succeeded"
    """ExtractorRun: it has ended well."""
    SCHEDULABLE = "Schedulable"
    """Extractor, ExtractorRun: some node is large enough for each of its pods; it only warns."""


class Reason(StrEnum):
    """Why, in one word; docs/conditions.md has a section for each."""

    SUCCEEDED = "Succeeded"
    PROGRESSING = "Progressing"
    RETRYING = "ProgressingWithRetry"
    FETCH_FAILED = "FetchFailed"
    AUTHENTICATION_FAILED = "AuthenticationFailed"
    SOURCE_REFUSED = "SourceRefused"
    NOT_FOUND = "NotFound"
    DIGEST_MISMATCH = "DigestMismatch"
    TOO_LARGE = "ArchiveTooLarge"
    SIGNATURE_REFUSED = "SignatureRefused"
    SCAN_REJECTED = "ScanRejected"
    SCAN_FAILED = "ScanFailed"
    NAME_MISMATCH = "NameMismatch"
    DEPENDENCY_CONFLICT = "DependencyConflict"
    ENVIRONMENT_FAILED = "EnvironmentFailed"
    IMAGE_REFUSED = "ImageRefused"
    SECRET_MISSING = "SecretMissing"
    VERSION_NOT_READY = "VersionNotReady"
    QUEUED = "Queued"
    SUSPENDED = "Suspended"
    STARTING = "Starting"
    RUNNING = "Running"
    TRYING_AGAIN = "Retrying"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    UNSCHEDULABLE = "Unschedulable"
    QUOTA_EXCEEDED = "QuotaExceeded"
    PODS_REFUSED = "PodsRefused"
    CONTAINER_NOT_CREATED = "ContainerNotCreated"
    INSTALL_FAILED = "InstallFailed"
    CONTAINER_CRASHED = "ContainerCrashed"
    OUT_OF_MEMORY = "OutOfMemory"
    KILLED = "Killed"
    EVICTED = "Evicted"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    NO_PROGRESS = "NoProgress"
    HEAD_LOST = "HeadLost"
    SUBMISSION_FAILED = "SubmissionFailed"
    APP_FAILED = "AppFailed"
    JOB_STOPPED = "JobStopped"
    WORKLOAD_GONE = "WorkloadGone"
    WORKLOAD_REFUSED = "WorkloadRefused"
    NOT_TAKEN_UP = "NotTakenUp"
    DEPLOY_FAILED = "DeployFailed"
    PARITY_MISMATCH = "ParityMismatch"
    CONFIG_REFUSED = "ConfigRefused"
    UNHEALTHY = "Unhealthy"
    UPGRADE_BLOCKED = "UpgradeBlocked"
    CONFIG_TOO_LARGE = "ConfigTooLarge"
    SCHEDULE_INVALID = "ScheduleInvalid"
    SERVICE_NAME_TAKEN = "ServiceNameTaken"
    EGRESS_REFUSED = "EgressRefused"
    NODE_FITS = "NodeFits"
    NO_NODE_FITS = "NoNodeFits"
    NODES_UNKNOWN = "NodesUnknown"


@dataclass(frozen=True)
class Stage:
    """What one step of a reconcile found out about its condition."""

    type: ConditionType
    status: ConditionStatus
    reason: Reason
    message: str


@dataclass(frozen=True)
class Outcome:
    """What a reconcile came to: the stages that were looked at, and what ended it."""

    stages: tuple[Stage, ...] = field(default=())
    reconciling: Stage | None = None
    """More is to come, by itself."""
    stalled: Stage | None = None
    """Only a change by a person helps."""
    after: float | None = None
    """Seconds after which to look again, whatever comes meanwhile."""


def summarise(outcome: Outcome, done: str) -> tuple[Stage, ...]:
    """Add `Ready`, `Reconciling` and `Stalled`; ``done`` is what `Ready` says when all is well."""
    ended = outcome.stalled or outcome.reconciling
    if ended is None:
        ready = Stage(ConditionType.READY, ConditionStatus.TRUE, Reason.SUCCEEDED, done)
        return (ready, *outcome.stages)
    type = ConditionType.STALLED if outcome.stalled else ConditionType.RECONCILING
    return (
        Stage(ConditionType.READY, ConditionStatus.FALSE, ended.reason, ended.message),
        Stage(type, ConditionStatus.TRUE, ended.reason, ended.message),
        *outcome.stages,
    )


def merge(
    known: Sequence[Condition], stages: Iterable[Stage], *, generation: int, now: str
) -> tuple[Condition, ...]:
    """Make conditions of stages. `lastTransitionTime` moves only where a status does; others are dropped."""
    before = {condition.type: condition for condition in known}
    merged = []
    for stage in stages:
        last = before.get(stage.type)
        is_same = last is not None and last.status is stage.status
        merged.append(
            Condition(
                type=stage.type,
                status=stage.status,
                observed_generation=generation,
                last_transition_time=last.last_transition_time if last and is_same else now,
                reason=stage.reason,
                message=_short(stage.message),
            )
        )
    return tuple(merged)


def find(conditions: Iterable[Condition], type: str) -> Condition | None:
    """Find a condition by its type."""
    return next((condition for condition in conditions if condition.type == type), None)


def stage_of(condition: Condition) -> Stage:
    """Make of a condition the stage that it was; a reason that this version does not know says `Failed`."""
    known = Reason._value2member_map_.get(condition.reason, Reason.FAILED)
    assert isinstance(known, Reason)
    return Stage(ConditionType(condition.type), condition.status, known, condition.message)


def _short(message: str) -> str:
    text = " ".join(message.split())
    return text if len(text) <= MESSAGE_CHARACTERS else f"{text[: MESSAGE_CHARACTERS - 2]} …"
