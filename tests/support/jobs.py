"""Jobs on a bare API server: what the Job controller, the kubelet and the garbage collector would do.

Every pod is a real object, which admission has judged, and its container a real process of this machine.
"""

import contextlib
import datetime
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support import garbage, pods
from support.kuberay import Api, api_path
from support.kubernetes import Cluster

Json = dict[str, Any]
Fault = Callable[[Json], Json | None]
"""Gives the status of a Job's pod, if it is to have that instead of being run."""

_LOOK_SECONDS = 0.05
_MOUNT_SECONDS = 20
_RUN_SECONDS = 120
_MESSAGE_BYTES = 2048
_JOBS = ("batch/v1", "jobs")
_PODS = ("v1", "pods")


def well(_: Json) -> Json | None:
    """Let every pod run."""
    return None


def stuck(reason: str, message: str) -> Json:
    """Give the status of a pod whose container does not start."""
    waiting = {"waiting": {"reason": reason, "message": message}}
    return {"phase": "Pending", "containerStatuses": [_container("scan", waiting, ready=False)]}


def unschedulable(message: str) -> Json:
    """Give the status of a pod that finds no node."""
    found = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return {"phase": "Pending", "conditions": [found]}


def killed(reason: str) -> Json:
    """Give the status of a pod whose container was killed."""
    ended = {"terminated": {"exitCode": 137, "reason": reason}}
    return {"phase": "Failed", "containerStatuses": [_container("scan", ended, ready=False)]}


@dataclass
class Player:
    """Plays the controllers of Jobs."""

    cluster: Cluster
    namespaces: tuple[str, ...]
    folder: Path
    fault: Fault = well
    is_running: threading.Event = field(default_factory=threading.Event)
    """Cleared, every pod waits before its container starts."""
    made: list[Json] = field(default_factory=list)
    """Jobs that were begun."""
    _stopping: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _errors: list[BaseException] = field(default_factory=list)

    def play(self) -> None:
        """Look for Jobs, and for what has lost its owner, until it is stopped."""
        api, known = Api(self.cluster), set()
        while not self._stopping.wait(_LOOK_SECONDS):
            found = [job for each in self.namespaces for job in api.list(api_path(*_JOBS, each))]
            for job in found:
                if job["metadata"]["uid"] not in known:
                    known.add(job["metadata"]["uid"])
                    self.made.append(job)
                    self._begin(self._run, job)
            garbage.collect(api)

    def stop(self) -> None:
        self._stopping.set()
        self.is_running.set()
        for thread in self._threads:
            thread.join()
        for err in self._errors:
            raise err

    def _begin(self, *work: Any) -> None:
        thread = threading.Thread(target=self._noting, args=work)
        thread.start()
        self._threads.append(thread)

    def _noting(self, work: Callable[..., None], *arguments: Any) -> None:
        try:
            work(*arguments)
        except BaseException as err:
            self._errors.append(err)

    def _run(self, job: Json) -> None:
        api, namespace = Api(self.cluster), job["metadata"]["namespace"]
        _patch(api, _JOBS, job, {"startTime": _now(), "active": 1})
        pod = api.create(api_path(*_PODS, namespace), _pod_of(job))
        assert pod is not None
        status = self.fault(job)
        if status is None:
            self.is_running.wait(_RUN_SECONDS)
            status = self._play_container(api, job, pod)
        _patch(api, _PODS, pod, status)
        phase = status["phase"]
        if phase in ("Succeeded", "Failed"):
            _patch(api, _JOBS, job, _ended(phase == "Succeeded"))

    def _play_container(self, api: Api, job: Json, pod: Json) -> Json:
        name, namespace = pod["spec"]["containers"][0]["name"], pod["metadata"]["namespace"]
        folder = self.folder / pod["metadata"]["uid"]
        laid = pods.lay_out(pod, folder, secrets=lambda secret: self._mounted(api, namespace, secret))
        _patch(api, _JOBS, job, {"ready": 1})
        log = folder / "log"
        code = laid.run(name, log, _RUN_SECONDS)
        # As FallbackToLogsOnError has it.
        message = log.read_text(errors="replace")[-_MESSAGE_BYTES:] if code else ""
        reason = "Error" if code else "Completed"
        ended = {"terminated": {"exitCode": code, "reason": reason, "message": message}}
        return {
            "phase": "Failed" if code else "Succeeded",
            "containerStatuses": [_container(name, ended, ready=False)],
        }

    def _mounted(self, api: Api, namespace: str, name: str) -> dict[str, bytes]:
        """Wait for a Secret, as the kubelet does."""
        for _ in range(int(_MOUNT_SECONDS / _LOOK_SECONDS)):
            secret = api.get(api_path("v1", "secrets", namespace, name))
            if secret is not None:
                return pods.decode(secret)
            self._stopping.wait(_LOOK_SECONDS)
        raise AssertionError(f"the pod waits for the Secret {name}")


@contextlib.contextmanager
def play(cluster: Cluster, namespaces: tuple[str, ...], folder: Path) -> Iterator[Player]:
    """Have the Jobs of some namespaces run until the block ends."""
    player = Player(cluster, namespaces, folder)
    player.is_running.set()
    player._begin(player.play)
    try:
        yield player
    finally:
        player.stop()


def _pod_of(job: Json) -> Json:
    template, metadata = job["spec"]["template"], job["metadata"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": metadata["name"], "uid": metadata["uid"]}
    labels = {**template["metadata"].get("labels", {}), "batch.kubernetes.io/job-name": metadata["name"]}
    return {
        "metadata": {
            "name": f"{metadata['name']}-{metadata['uid'][:5]}",
            "labels": labels,
            "annotations": template["metadata"].get("annotations", {}),
            "ownerReferences": [{**owner, "controller": True}],
        },
        "spec": template["spec"],
    }


def _container(name: str, state: Json, *, ready: bool) -> Json:
    return {"name": name, "image": "x", "imageID": "", "restartCount": 0, "ready": ready, "state": state}


def _ended(well: bool) -> Json:
    types = ("SuccessCriteriaMet", "Complete") if well else ("FailureTarget", "Failed")
    said = {"lastTransitionTime": _now(), "lastProbeTime": _now(), "status": "True"}
    if not well:
        said |= {"reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit"}
    return {
        "active": 0,
        "ready": 0,
        **({"completionTime": _now(), "succeeded": 1} if well else {"failed": 1}),
        "conditions": [{"type": each, **said} for each in types],
    }


def _patch(api: Api, kind: tuple[str, str], item: Json, status: Json) -> None:
    """Write a status; an object that is gone has none."""
    metadata = item["metadata"]
    path = api_path(*kind, metadata["namespace"], metadata["name"], "status")
    api.merge(path, {"status": status})


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
