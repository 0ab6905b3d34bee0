"""KubeRay, kubelet and garbage collector of a test's API server, with every pod's processes on this machine.

It does what the recordings show, without their waiting: the init container is run, then the RayJob's entry
point or the RayService's applications, in Ray. Faults are methods.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from support import garbage, kuberay, kuberay_proxy
from support.kuberay import Api, Json
from support.kuberay_job import RayJob
from support.kuberay_service import RayService
from support.kubernetes import Cluster

W = TypeVar("W", RayJob, RayService)

_LOOK_SECONDS = 0.2
_COLLECT_SECONDS = 1.0

IMAGE_PULL: Json = {
    "phase": "Pending",
    "conditions": [{"type": "PodScheduled", "status": "True"}],
    "containerStatuses": [
        {
            "name": "ray-head",
            "image": "",
            "imageID": "",
            "ready": False,
            "restartCount": 0,
            "state": {
                "waiting": {
                    "reason": "ImagePullBackOff",
                    "message": 'Back-off pulling image "registry.example/missing:1": not found',
                }
            },
        }
    ],
}
"""Of a pod whose image is not there."""
UNSCHEDULABLE: Json = {
    "phase": "Pending",
    "conditions": [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.",
        }
    ],
}
"""Of a pod that no node has room for."""


class LocalKubeRay:
    """A running one."""

    def __init__(self, cluster: Cluster, folder: Path, *, has_ray: bool) -> None:
        self.api = Api(cluster)
        self.has_ray = has_ray
        """Whether RayJobs have a Ray to join."""
        self.folder = folder
        """Where pods have their volumes and logs."""
        self.stuck: dict[str, Json] = {}
        """Pod status by the beginning of a workload's name: pods made from now on never get beyond it."""
        self._workloads: dict[str, RayJob | RayService] = {}
        self._services = kuberay_proxy.Services(self.api, self._port)
        self._thread = threading.Thread(target=self._run, name="kuberay")
        self._stop = threading.Event()
        self._collected = 0.0
        self._error: BaseException | None = None

    def url(self, namespace: str, service: str) -> str:
        """Give where a Service of the cluster answers on this machine, whatever it selects."""
        return self._services.url(namespace, service)

    def job(self, namespace: str, name: str) -> RayJob:
        """Find a RayJob."""
        return self._find(RayJob, namespace, name)

    def service(self, namespace: str, name: str) -> RayService:
        """Find a RayService."""
        return self._find(RayService, namespace, name)

    def start(self) -> None:
        """Begin to play."""
        self._thread.start()

    def stop(self) -> None:
        """End everything that runs. Raises what kept it from playing."""
        self._stop.set()
        self._thread.join()
        self._services.close()
        for each in self._workloads.values():
            each.end()
        self.api.close()
        if self._error:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._stop.wait(_LOOK_SECONDS):
                self._look()
        except BaseException as err:
            self._error = err

    def _look(self) -> None:
        seen: set[str] = set()
        for kind in ("RayJob", "RayService"):
            for item in self.api.list(kuberay.path(kind)):
                item |= {"apiVersion": kuberay.GROUP, "kind": kind}
                uid = item["metadata"]["uid"]
                # A test before this one on the same API server leaves what it had, half played.
                if uid not in self._workloads and item.get("status"):
                    continue
                seen.add(uid)
                if uid not in self._workloads:
                    self._workloads[uid] = self._begin(item)
                self._workloads[uid].poll(item)
        for uid in self._workloads.keys() - seen:
            self._workloads.pop(uid).end()
        if time.monotonic() - self._collected > _COLLECT_SECONDS:
            self._collected = time.monotonic()
            garbage.collect(self.api)

    def _begin(self, item: Json) -> RayJob | RayService:
        known = (self.api, item, self._folder(item), self._fate(item))
        return RayJob(*known, self.has_ray) if item["kind"] == "RayJob" else RayService(*known)

    def _folder(self, item: Json) -> Path:
        folder = self.folder / str(item["metadata"]["namespace"])
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _fate(self, item: Json) -> Json | None:
        name = item["metadata"]["name"]
        return next((fate for start, fate in self.stuck.items() if name.startswith(start)), None)

    def _port(self, namespace: str, selector: dict[str, str]) -> int | None:
        """Find where the pods answer that a selector selects."""
        for each in self._all(RayService):
            if each.cluster is None or each.cluster.namespace != namespace:
                continue
            labels = {"ray.io/cluster": each.cluster.name, "ray.io/serve": "true"}
            if selector.items() <= labels.items() and each.port:
                return each.port
        return None

    def _find(self, kind: type[W], namespace: str, name: str) -> W:
        wanted = {"namespace": namespace, "name": name}
        return next(each for each in self._all(kind) if wanted.items() <= each.item["metadata"].items())

    def _all(self, kind: type[W]) -> list[W]:
        return [each for each in list(self._workloads.values()) if isinstance(each, kind)]


@contextlib.contextmanager
def run(cluster: Cluster, folder: Path, *, has_ray: bool = True) -> Iterator[LocalKubeRay]:
    """Play KubeRay until the block ends; without Ray for RayJobs, whose entry points then start sooner."""
    local = LocalKubeRay(cluster, folder, has_ray=has_ray)
    local.start()
    try:
        yield local
    finally:
        local.stop()
