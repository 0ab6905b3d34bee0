"""Plays a recording of the real KubeRay on a RayJob or RayService of a test.

Statuses, RayClusters and pods are written when they were, in compressed time, with the names, times and
generations of the test's object. What people did in the recording (edits, deletions) is the test's to do.
"""

import contextlib
import datetime
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from support import kuberay
from support.kuberay import Api, Json
from support.kuberay_cluster import owner_of, spec_of
from support.kubernetes import Cluster

_FIXTURES = Path(__file__).parents[1] / "fixtures/kuberay"
_RECORDINGS = Path(__file__).parents[3] / "shared/kuberay/transcripts"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_FORM = "%Y-%m-%dT%H:%M:%SZ"
_WAIT_SECONDS = 60.0
_WORKLOADS = ("RayJob", "RayService")


@dataclass(frozen=True)
class Frame:
    """What was seen at a moment of a recording."""

    at: float
    """Seconds since the first apply."""
    type: str
    """ADDED, MODIFIED or DELETED."""
    kind: str
    body: Json = field(repr=False)


def frames(scenario: str) -> list[Frame]:
    """Read a recording, in the order of time."""
    found = []
    for file in ("watch.jsonl", "pods.jsonl"):
        for line in (_folder(scenario) / file).read_text().splitlines():
            seen = json.loads(line)
            found.append(Frame(seen["t"], seen["type"], seen["kind"], seen.get("object", seen)))
    return sorted(found, key=lambda frame: frame.at)


@contextlib.contextmanager
def play(
    cluster: Cluster, namespace: str, name: str, scenario: str, *, speed: float = 20.0
) -> Iterator[Callable[[], None]]:
    """Play a recording on the object of that name, from when it appears, until its end or the block's.

    What is given waits for the recording's end.
    """
    player = _Player(Api(cluster), namespace, name, frames(scenario), speed)
    thread = threading.Thread(target=player.run, name=f"plays-{scenario}")
    thread.start()

    def wait() -> None:
        thread.join(_WAIT_SECONDS)
        assert not thread.is_alive(), f"{scenario} is not over after {_WAIT_SECONDS} s"

    try:
        yield wait
    finally:
        player.stop.set()
        thread.join()
        player.api.close()
    if player.error:
        raise player.error


@dataclass(frozen=True)
class Adaptation:
    """What a recording's words become for the test's object."""

    recorded: str
    """Name of the recorded RayJob or RayService."""
    name: str
    """Name of the test's."""
    began: datetime.datetime
    """When the recorded one was made."""
    now: datetime.datetime
    """When the test's was."""
    speed: float
    words: dict[str, str] = field(default_factory=dict)
    """Applications and deployments, as the recording and as the test's Serve config name them."""

    def __call__(self, value: Any) -> Any:
        """Adapt a value, and all that is in it."""
        if isinstance(value, dict):
            return {self(key): self(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self(each) for each in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        if text == self.recorded:
            return self.name
        if text in self.words:
            return self.words[text]
        # What KubeRay makes of a name: five random characters after it.
        text = re.sub(rf"\b{re.escape(self.recorded)}(?=-[a-z0-9]{{5}}\b)", self.name, text)
        return _TIME.sub(self._time, text)

    def _time(self, match: re.Match[str]) -> str:
        recorded = datetime.datetime.strptime(match.group(), _FORM).replace(tzinfo=datetime.UTC)
        return (self.now + (recorded - self.began) / self.speed).strftime(_FORM)


@dataclass
class _Player:
    api: Api
    namespace: str
    name: str
    frames: list[Frame]
    speed: float
    stop: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None

    def run(self) -> None:
        try:
            self._run()
        except BaseException as err:
            self.error = err

    def _run(self) -> None:
        first = next(frame for frame in self.frames if frame.kind in _WORKLOADS)
        while (ours := self.api.get(self._path(first.kind))) is None:
            if self.stop.wait(0.05):
                return
        adapt = adaptation(first, ours, self.speed)
        started = time.monotonic()
        for frame in self.frames:
            if self.stop.wait(max(0.0, started + frame.at / self.speed - time.monotonic())):
                return
            if frame.kind in _WORKLOADS:
                self._play_status(frame, adapt)
            else:
                self._play_child(frame, ours, adapt)

    def _play_status(self, frame: Frame, adapt: Adaptation) -> None:
        status = frame.body.get("status")
        ours = self.api.get(self._path(frame.kind)) if status and frame.type != "DELETED" else None
        if ours is not None:
            behind = frame.body["metadata"]["generation"] - ours["metadata"]["generation"]
            self.api.set_status(self._path(frame.kind), _generations(adapt(status), behind))

    def _play_child(self, frame: Frame, ours: Json, adapt: Adaptation) -> None:
        metadata = adapt(frame.body["metadata"])
        where = child_path(frame.kind, self.namespace)
        if frame.type == "DELETED":
            self.api.delete(f"{where}/{metadata['name']}")
            return
        if self.api.get(f"{where}/{metadata['name']}") is None:
            self.api.create(where, _child(frame.kind, metadata, ours))
        names = ("phase", "conditions", "containerStatuses", "initContainerStatuses")
        status = {name: frame.body[name] for name in names if name in frame.body}
        if status := frame.body.get("status") or status:
            self.api.set_status(f"{where}/{metadata['name']}", adapt(status))

    def _path(self, kind: str) -> str:
        return kuberay.path(kind, self.namespace, self.name)


def adaptation(first: Frame, ours: Json, speed: float) -> Adaptation:
    """Say what becomes of a recording's words, by its first sight of the object, and by the test's object."""
    recorded, now = (
        datetime.datetime.strptime(each["metadata"]["creationTimestamp"], _FORM).replace(tzinfo=datetime.UTC)
        for each in (first.body, ours)
    )
    theirs, own = (_applications(each) for each in (first.body, ours))
    return Adaptation(
        recorded=first.body["metadata"]["name"],
        name=ours["metadata"]["name"],
        began=recorded,
        now=now,
        speed=speed,
        words=dict(zip(theirs, own, strict=False)),
    )


def child_path(kind: str, namespace: str) -> str:
    """Say where the RayClusters or the pods of a namespace are."""
    return kuberay.api_path("v1", "pods", namespace) if kind == "Pod" else kuberay.path(kind, namespace)


def _child(kind: str, metadata: Json, ours: Json) -> Json:
    labels = metadata.get("labels", {})
    kept = {"name": metadata["name"], "labels": labels, "annotations": metadata.get("annotations", {})}
    if kind == "Pod":
        template = _template(ours, labels.get("ray.io/group", ""))
        return {"metadata": kept, "spec": template["spec"]}
    return {
        "apiVersion": kuberay.GROUP,
        "kind": kind,
        "metadata": {**kept, "ownerReferences": [owner_of(ours)]},
        "spec": spec_of(ours),
    }


def _template(workload: Json, group: str) -> Json:
    """Find the pod template of a group in a RayJob or RayService."""
    spec = spec_of(workload)
    groups = {each["groupName"]: each for each in spec.get("workerGroupSpecs", ())}
    found: Json = (groups.get(group) or spec["headGroupSpec"])["template"]
    return found


def _applications(workload: Json) -> list[str]:
    """Name the applications of a RayService, each with its deployments."""
    config = yaml.safe_load(workload.get("spec", {}).get("serveConfigV2", "")) or {}
    return [
        name
        for application in config.get("applications", ())
        for name in (application["name"], *(each["name"] for each in application.get("deployments", ())))
    ]


def _generations(status: Json, behind: int) -> Json:
    """Have generations be as far behind the test's object as they were behind the recorded one."""
    moved = dict(status)
    if "observedGeneration" in status:
        moved["observedGeneration"] = max(0, status["observedGeneration"] - behind)
    if "conditions" in status:
        moved["conditions"] = [_generations(each, behind) for each in status["conditions"]]
    return moved


def _folder(scenario: str) -> Path:
    folder = _FIXTURES / scenario
    return folder if folder.is_dir() else _RECORDINGS / scenario
