"""A RayService, read into one phase and one sentence.

KubeRay's `Ready` only says that endpoints exist: what was asked for runs when every application is RUNNING,
the configuration was taken up, and some seconds have passed since it was edited.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from extractor_apis import naming
from extractor_apis.conditions import Reason
from extractor_operator.kuberay import cause, objects
from extractor_operator.kuberay.wording import quote, raised

_QUIET = timedelta(seconds=20)
"""A healthy cluster stands within 16 s: before that nobody has to ask why it does not."""
_SETTLE = timedelta(seconds=5)
"""For 2 s after an edit KubeRay shows the applications of before it, as if they were the new ones."""
_TAKE_UP = timedelta(seconds=30)
_READ_AGAIN = timedelta(seconds=30)
_REFUSAL = timedelta(seconds=10)
"""KubeRay takes up what Ray Serve accepts within a second, and shows no sign of what it refuses."""
_RECENT = timedelta(minutes=10)
ROLLING = "its applications are rolled out, and those of before answer"
_UNHEALTHY = "part of it does not pass its health checks, and Ray Serve replaces that"
_SILENT = "none of its pods answers: those that were lost are made again, and then its applications start"
_PARITY = re.compile(r"\bParityMismatch: (?P<said>.+)")


class ServicePhase(StrEnum):
    """Where a RayService is, with what it was last asked for."""

    GONE = "Gone"
    """There is none, or it is being deleted."""
    SUSPENDED = "Suspended"
    STARTING = "Starting"
    """Its cluster or its applications are on their way."""
    RUNNING = "Running"
    """Every application runs, as it was last configured."""
    DEGRADED = "Degraded"
    """It ran, and part of it does not now; Ray or KubeRay is mending that."""
    FAILED = "Failed"
    """It does not come by itself; what ran before may answer still."""


@dataclass(frozen=True)
class ServiceObservation:
    """What a RayService's objects say at a moment."""

    phase: ServicePhase
    reason: Reason
    message: str
    """One sentence, the same for the same cause."""
    answers: bool = False
    """Whether queries are answered, by this configuration or by the one before."""
    is_settled: bool = False
    """Whether it is what its configuration asks for as it is now: if it is running, it may be promoted."""
    cluster_name: str | None = None
    """The RayCluster that answers, for a Service to select."""
    starting_cluster: str | None = None
    """The RayCluster that is to answer."""
    pods_to_read: str | None = None
    """Label selector of the pods that may tell why it is so; None where nothing is to be explained."""
    replicas: int = 0
    """Pods that have endpoints."""
    config_observed: bool = False
    """Whether KubeRay has acted on the object as it is now."""
    is_final: bool = False
    """KubeRay will do nothing more with it, also when it is mended: delete it."""
    valid_until: datetime | None = None
    """Look again by then: time alone, or pods that nobody watches, may change what this says."""


STARTING = ServiceObservation(
    ServicePhase.STARTING, Reason.STARTING, "its Ray cluster starts, and then its applications"
)
"""What is said of a RayService while nothing more is known, from before it is made."""
GONE = ServiceObservation(
    ServicePhase.GONE, Reason.WORKLOAD_GONE, "its RayService is gone: somebody deleted it"
)


def observe_service(
    service: dict[str, Any] | None,
    cluster: dict[str, Any] | None,
    pods: Sequence[dict[str, Any]],
    *,
    edited: datetime | None,
    now: datetime,
    start_seconds: int = 1800,
) -> ServiceObservation:
    """Say how a RayService is, from itself, and from its RayCluster and pods where those were read.

    ``edited`` is when its spec was last edited in place; ``start_seconds`` how long it may take to run.
    """
    if service is None:
        return GONE
    rayservice = objects.RayService.model_validate(service)
    if rayservice.metadata.deletion_timestamp:
        return GONE
    return _Scene(
        rayservice,
        objects.RayCluster.model_validate(cluster).status if cluster else objects.Signs(),
        tuple(map(objects.Pod.model_validate, pods)),
        edited,
        now,
        timedelta(seconds=start_seconds),
    ).observe()


@dataclass(frozen=True)
class _Scene:
    """All that is known of a RayService at a moment."""

    service: objects.RayService
    signs: objects.Signs
    """Of the RayCluster itself: the copy that a RayService has may be of long ago."""
    pods: tuple[objects.Pod, ...]
    edited: datetime | None
    now: datetime
    limit: timedelta

    def observe(self) -> ServiceObservation:
        status, reason = self.service.status, self._ready.reason
        if reason == "ValidationFailed":
            message = f"KubeRay refuses the RayService: {quote(self._ready.message)}"
            return self._say(ServicePhase.FAILED, Reason.WORKLOAD_REFUSED, message, is_final=True)
        if reason == "InitializingTimeout":
            message = "it did not start in time, and KubeRay gave it up for good"
            return self._say(ServicePhase.FAILED, Reason.DEADLINE_EXCEEDED, message, is_final=True)
        if self.service.spec.suspend:
            return self._suspended()
        if status.holds("Suspended") or status.holds("Suspending"):
            # What it says of its last start is over.
            return self._say(ServicePhase.STARTING, Reason.STARTING, STARTING.message)
        if not status.conditions:
            return self._not_taken_up()
        if self._asked.application_statuses and self.edited and self.now < self.edited + _SETTLE:
            return self._say(ServicePhase.STARTING, Reason.STARTING, self._way, until=self.edited + _SETTLE)
        if self._is_ready and not self._is_observed and not status.pending_service_status.ray_cluster_name:
            return self._unobserved()
        return self._applications()

    def _applications(self) -> ServiceObservation:
        applications = self._asked.application_statuses.values()
        failed = [each for each in applications if each.status == "DEPLOY_FAILED"]
        if failed:
            return self._say(ServicePhase.FAILED, *_explain(failed[0]))
        if any(each.status == "UNHEALTHY" for each in applications):
            found = self._cause or cause.Cause(Reason.UNHEALTHY, _UNHEALTHY)
            return self._say(ServicePhase.DEGRADED, found.reason, found.message)
        is_up = bool(applications) and all(each.status == "RUNNING" for each in applications)
        if is_up and self._is_ready:
            return self._say(ServicePhase.RUNNING, Reason.RUNNING, "it is running")
        return self._on_its_way()

    def _on_its_way(self) -> ServiceObservation:
        found, deadline = self._cause, self._deadline
        if self._is_overdue:
            reason = found.reason if found else Reason.DEADLINE_EXCEEDED
            why = found.message if found else cause.where_pods_stand(self.signs, self.pods)
            message = f"it did not start within {self.limit.total_seconds():.0f} s: {why}"
            # What ran once may run again when there is room for it: only what never did is given up.
            is_final = not (self._has_run or self._answers)
            return self._say(ServicePhase.FAILED, reason, message, is_final=is_final)
        phase, reason, message = ServicePhase.STARTING, Reason.STARTING, self._way
        if self._has_run and not self._is_rolling:
            phase, reason, message = ServicePhase.DEGRADED, Reason.UNHEALTHY, _SILENT
        if found:
            reason, message = found.reason, found.message
        return self._say(phase, reason, message, until=deadline)

    def _suspended(self) -> ServiceObservation:
        queue = self.service.metadata.labels.get(naming.QUEUE_LABEL)
        if queue:
            message = f"it waits in the queue {queue} until Kueue lets it start"
            return self._say(ServicePhase.SUSPENDED, Reason.QUEUED, message)
        return self._say(ServicePhase.SUSPENDED, Reason.SUSPENDED, "its RayService is suspended")

    def _unobserved(self) -> ServiceObservation:
        until = self.edited + _REFUSAL if self.edited else None
        if until is None or self.now < until:
            return self._say(ServicePhase.STARTING, Reason.STARTING, self._way, until=until)
        message = (
            "Ray Serve refuses the configuration, and what ran before answers: the Events"
            f" FailedToUpdateServeApplications of the RayService {self.service.metadata.name} say why"
        )
        return self._say(ServicePhase.FAILED, Reason.CONFIG_REFUSED, message)

    def _not_taken_up(self) -> ServiceObservation:
        if self.now < self._begun + _TAKE_UP:
            return self._say(
                ServicePhase.STARTING, Reason.STARTING, STARTING.message, until=self._begun + _TAKE_UP
            )
        message = (
            "KubeRay does not act on its RayService: see that its operator runs and watches this namespace"
        )
        if self.now < self._deadline:
            return self._say(ServicePhase.STARTING, Reason.NOT_TAKEN_UP, message, until=self._deadline)
        return self._say(ServicePhase.FAILED, Reason.NOT_TAKEN_UP, message, is_final=True)

    def _say(
        self,
        phase: ServicePhase,
        reason: Reason,
        message: str,
        *,
        is_final: bool = False,
        until: datetime | None = None,
    ) -> ServiceObservation:
        status, selector = self.service.status, self._selector(phase, reason)
        turns = [until, self._begun + _QUIET if until else None, self.now + _READ_AGAIN if selector else None]
        return ServiceObservation(
            phase,
            reason,
            message,
            answers=phase is not ServicePhase.SUSPENDED and self._answers,
            is_settled=self._is_observed and (phase is ServicePhase.RUNNING or status.holds("Suspended")),
            cluster_name=status.active_service_status.ray_cluster_name or None,
            starting_cluster=status.pending_service_status.ray_cluster_name or None,
            pods_to_read=selector,
            replicas=status.num_serve_endpoints,
            config_observed=self._is_observed,
            is_final=is_final,
            valid_until=min((turn for turn in turns if turn and turn > self.now), default=None),
        )

    def _selector(self, phase: ServicePhase, reason: Reason) -> str | None:
        is_late = self.now >= self._begun + _QUIET
        is_on_its_way = phase in {ServicePhase.STARTING, ServicePhase.DEGRADED} and is_late
        name = self._asked.ray_cluster_name
        is_asked = is_on_its_way or reason is Reason.DEADLINE_EXCEEDED
        return f"ray.io/cluster={name}" if name and is_asked else None

    @property
    def _cause(self) -> cause.Cause | None:
        return cause.find_cause(self.signs, self.pods)

    @property
    def _ready(self) -> objects.Sign:
        """KubeRay's Ready, which only says that endpoints exist."""
        return self.service.status.find("Ready") or objects.Sign()

    @property
    def _is_ready(self) -> bool:
        return self._ready.status == "True" and self.service.status.num_serve_endpoints > 0

    @property
    def _is_observed(self) -> bool:
        return self.service.status.observed_generation >= self.service.metadata.generation

    @property
    def _asked(self) -> objects.ServingCluster:
        """The cluster that is to run what was last asked for."""
        status = self.service.status
        pending = status.pending_service_status
        return pending if pending.ray_cluster_name else status.active_service_status

    @property
    def _is_active(self) -> bool:
        return self._asked is self.service.status.active_service_status

    @property
    def _has_run(self) -> bool:
        """Tell whether the cluster that is asked for once answered."""
        return self._is_active and bool(self._asked.ray_cluster_name) and self._ready.reason != "Initializing"

    @property
    def _is_rolling(self) -> bool:
        """Tell whether it was ready before it was deployed: replicas of before answer then.

        Serve deploys again by itself when its controller was lost. After a head was lost, KubeRay is Ready
        before any replica is: what was not ready for long, nor edited since, does not answer.
        """
        since = self._ready.last_transition_time
        if since is None or not self._is_active or not self._is_ready:
            return False
        return self.now >= since + self.limit or (self.edited is not None and since <= self.edited)

    @property
    def _is_overdue(self) -> bool:
        if not self._is_rolling:
            return self.now >= self._deadline
        # What was edited long ago has settled since: then it is Serve that deploys it again.
        return self.edited is not None and self._deadline <= self.now < self._deadline + _RECENT

    @property
    def _answers(self) -> bool:
        applications = self.service.status.active_service_status.application_statuses.values()
        # In an upgrade of KubeRay's own, those of the active cluster are not listed.
        is_up = all(each.status in {"RUNNING", "UNHEALTHY"} for each in applications)
        return self._is_ready and (is_up or self._is_rolling)

    @property
    def _way(self) -> str:
        return ROLLING if self._is_rolling else STARTING.message

    @property
    def _begun(self) -> datetime:
        """Since when its pods are on their way, where they are."""
        upgrade = self.service.status.find("UpgradeInProgress")
        moments = [self.service.metadata.creation_timestamp, self._ready.last_transition_time]
        if upgrade and upgrade.status == "True":
            moments.append(upgrade.last_transition_time)
        return max((moment for moment in moments if moment), default=self.now)

    @property
    def _deadline(self) -> datetime:
        """An edit may mend what does not start: it gets the whole time."""
        return max(self._begun, self.edited or self._begun) + self.limit


def _explain(application: objects.Application) -> tuple[Reason, str]:
    """Say what a deployment raised, as its author would want to read it."""
    texts = [
        each.message
        for each in application.serve_deployment_statuses.values()
        if each.status == "DEPLOY_FAILED"
    ]
    texts.append(application.message)
    for text in texts:
        unequal = _PARITY.search(text)
        if unequal:
            return Reason.PARITY_MISMATCH, f"batch and realtime disagree: {quote(unequal['said'])}"
    words = next((said for text in texts if (said := raised(text))), "Ray Serve does not say why")
    return Reason.DEPLOY_FAILED, f"its application cannot be deployed: {words}"
