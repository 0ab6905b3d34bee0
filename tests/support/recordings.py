"""Replays recordings of the real KubeRay in virtual time, as the operator would see them.

It looks when its RayJob or RayService changes and when an observation says to look again, reads the
RayCluster and pods only where an observation asks for them, and settles a run at the first final one.
"""

import collections
import functools
import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from extractor_apis import conditions
from extractor_apis.conditions import ConditionType, Outcome, Stage
from extractor_operator.kuberay import job, outcome, service
from extractor_operator.kuberay.job import JobObservation
from extractor_operator.kuberay.service import ServiceObservation

FIXTURES = Path(__file__).parents[1] / "fixtures/kuberay"
SCENARIOS = sorted(folder.name for folder in FIXTURES.iterdir() if folder.is_dir())

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_VERSION = "1.0.0"
_LOOKS = 2_000


@dataclass(frozen=True)
class Line:
    """Something that was seen of an object."""

    at: float
    """Seconds since the recording began."""
    type: str
    kind: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Look:
    """What our object says at a moment, and from what."""

    at: float
    observed: JobObservation | ServiceObservation
    outcome: Outcome
    workload: dict[str, Any] | None
    """The RayJob or RayService."""

    @property
    def shown(self) -> tuple[Stage, ...]:
        """Give the conditions."""
        return conditions.summarise(self.outcome, self.observed.message)


@functools.cache
def replay(scenario: str) -> tuple[Look, ...]:
    """Give every look at a recording, until time changes nothing any more."""
    lines = collections.deque(sorted(_read(scenario), key=lambda line: line.at))
    world, looks = _World(_epoch(lines)), list[Look]()
    timer = math.inf
    while lines or timer < math.inf:
        assert len(looks) < _LOOKS, f"{scenario} never comes to rest"
        at = min(lines[0].at if lines else math.inf, timer)
        is_woken = timer <= at
        while lines and lines[0].at <= at:
            is_woken |= world.apply(lines.popleft())
        if not is_woken:
            continue
        look = world.look(at)
        looks.append(look)
        if isinstance(look.observed, JobObservation) and look.observed.is_final:
            break
        until = look.observed.valid_until
        timer = (until - world.epoch).total_seconds() if until else math.inf
        assert timer > at, f"{scenario} at {at}: an observation is over before it is made"
    return tuple(looks)


def told(look: Look) -> dict[str, str]:
    """Write down what our object says as a fixture has it: every sentence once."""
    found = {stage.type: stage for stage in look.shown}
    available = found.get(ConditionType.AVAILABLE)
    says = found[ConditionType.READY].message
    assert {stage.message for stage in found.values() if stage is not available} == {says}
    conditions = " ".join(f"{stage.type}={stage.status}/{stage.reason}" for stage in found.values())
    return {"conditions": conditions, "says": says} | ({"available": available.message} if available else {})


@dataclass
class _World:
    """The cluster, as it is at a moment."""

    epoch: datetime
    workload: dict[str, Any] | None = None
    kind: str = ""
    edited: datetime | None = None
    is_promoted: bool = False
    is_suspended: bool = False
    clusters: dict[str, dict[str, Any]] = field(default_factory=dict)
    pods: dict[str, dict[str, Any]] = field(default_factory=dict)

    def apply(self, line: Line) -> bool:
        """Have a line happen; tell whether the operator is woken by it."""
        name = line.body["metadata"]["name"]
        if line.kind in {"RayJob", "RayService"}:
            self._apply_workload(line)
            return True
        known = self.clusters if line.kind == "RayCluster" else self.pods
        if line.type == "DELETED":
            known.pop(name, None)
        else:
            known[name] = line.body
        return False

    def look(self, at: float) -> Look:
        now = self.epoch + timedelta(seconds=at)
        observed = self._observe(now, None, [])
        if observed.pods_to_read:
            key, _, value = observed.pods_to_read.partition("=")
            pods = [pod for pod in self.pods.values() if pod["metadata"].get("labels", {}).get(key) == value]
            observed = self._observe(now, self.clusters.get(self._cluster_name(observed)), pods)
        return Look(at, observed, self._outcome(observed), self.workload)

    def _observe(
        self, now: datetime, cluster: dict[str, Any] | None, pods: list[dict[str, Any]]
    ) -> JobObservation | ServiceObservation:
        if self.kind == "RayJob":
            return job.observe_job(self.workload, cluster, pods, now=now)
        return service.observe_service(self.workload, cluster, pods, edited=self.edited, now=now)

    def _outcome(self, observed: JobObservation | ServiceObservation) -> Outcome:
        if isinstance(observed, JobObservation):
            return outcome.run_outcome(observed, attempt=1, attempts=1)
        self.is_promoted |= observed.is_settled and observed.answers
        active = (observed, _VERSION) if self.is_promoted else (None, None)
        return outcome.serving_outcome(
            observed, active[0], version=_VERSION, active_version=active[1], is_suspended=self.is_suspended
        )

    def _apply_workload(self, line: Line) -> None:
        if line.type == "DELETED":
            self.workload = None
            return
        before = self.workload
        # The spec is only recorded where it changed.
        self.workload = {"spec": (before or {}).get("spec"), **line.body}
        self.kind, self.is_suspended = line.kind, bool((self.workload["spec"] or {}).get("suspend"))
        generation = line.body["metadata"]["generation"]
        # KubeRay itself makes the first generation the second.
        if before and generation > max(before["metadata"]["generation"], 2):
            self.edited = self.epoch + timedelta(seconds=line.at)

    @staticmethod
    def _cluster_name(observed: JobObservation | ServiceObservation) -> str:
        if isinstance(observed, ServiceObservation) and observed.starting_cluster:
            return observed.starting_cluster
        return observed.cluster_name or ""


def _read(scenario: str) -> Iterator[Line]:
    for file in ("watch.jsonl", "pods.jsonl"):
        path = FIXTURES / scenario / file
        for text in path.read_text().splitlines() if path.exists() else ():
            seen = json.loads(text)
            body = seen.get("object") or {"metadata": seen["metadata"], "status": seen}
            yield Line(seen["t"], seen["type"], seen["kind"], body)


def _epoch(lines: Iterable[Line]) -> datetime:
    """Find when the recording began: what KubeRay wrote has no time that had not come when it was seen."""
    begun = [datetime(2026, 1, 1, tzinfo=UTC)]
    for line in lines:
        for text in _TIMESTAMP.findall(json.dumps(line.body.get("status"))) if line.kind != "Pod" else ():
            moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            begun.append(moment - timedelta(seconds=line.at))
    return max(begun)
