"""A RayCluster of the local KubeRay: its object, its pods' objects, and their containers, which really run.

All Ray of a cluster is on this machine, so that one Ray has the place of head and workers: it runs in the
head's container. The workers' init containers run too, in folders of their own.
"""

import datetime
import secrets
import signal
import subprocess
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from support import kuberay, pods
from support.kuberay import Api, Json
from support.kuberay_head import Head
from support.pods import Pod

_HEAD = "headgroup"
_RESTART_SECONDS = 2.0
_TAIL_CHARACTERS = 2048
"""What the kubelet takes of a log as a container's last words."""


def now() -> str:
    """Give the time as Kubernetes writes it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def spec_of(workload: Json) -> Json:
    """Give the RayCluster that a RayJob or RayService asks for."""
    spec = workload["spec"]
    found: Json = spec.get("rayClusterSpec") or spec["rayClusterConfig"]
    return found


def owner_of(item: Json) -> Json:
    """Refer to an object as what belongs to it does."""
    metadata = item["metadata"]
    return {
        **{name: item[name] for name in ("apiVersion", "kind")},
        **{name: metadata[name] for name in ("name", "uid")},
        "controller": True,
        "blockOwnerDeletion": True,
    }


@dataclass
class _Node:
    """A pod, and how far its init containers are."""

    name: str
    group: str
    template: Json
    left: list[str]
    """Init containers that have not succeeded yet."""
    pod: Pod | None = None
    process: "subprocess.Popen[bytes] | None" = None
    restarts: int = 0
    wait_until: float = 0.0
    trouble: Json | None = None
    """State of the container that keeps the pod from starting."""
    last: Json | None = None
    """How it ended the last time."""

    @property
    def is_ready(self) -> bool:
        return not self.left and self.pod is not None


@dataclass
class RayCluster:
    """Pods of one workload."""

    api: Api
    workload: Json
    folder: Path
    """Where its pods' volumes and logs go."""
    name: str
    nodes: list[_Node] = field(default_factory=list)
    stuck: Json | None = None
    """Pod status that it never gets beyond; None lets its pods run."""
    has_ray: bool = True
    """Whether Ray is started in its pods, which takes long if nobody needs it."""
    ray: Head | None = None
    _token: str = field(default_factory=lambda: secrets.token_hex(32))
    _told: dict[str, Json] = field(default_factory=dict)

    @classmethod
    def create(
        cls, api: Api, workload: Json, folder: Path, stuck: Json | None, *, has_ray: bool = True
    ) -> "RayCluster":
        """Make the objects of a workload's RayCluster and its pods."""
        name = f"{workload['metadata']['name']}-{uuid.uuid4().hex[:5]}"
        made = cls(api, workload, folder / name, name, stuck=stuck, has_ray=has_ray)
        made.folder.mkdir(parents=True)
        metadata = workload["metadata"]
        body = {
            "apiVersion": kuberay.GROUP,
            "kind": "RayCluster",
            "metadata": {
                "name": name,
                "labels": {
                    **metadata.get("labels", {}),
                    "ray.io/originated-from-cr-name": metadata["name"],
                    "ray.io/originated-from-crd": workload["kind"],
                },
                "annotations": metadata.get("annotations", {}),
                "ownerReferences": [owner_of(workload)],
            },
            "spec": spec_of(workload),
        }
        item = api.create(kuberay.path("RayCluster", made.namespace), body)
        assert item is not None
        for group, template in _groups(spec_of(workload)):
            made._add(item, group, template)
        made._tell()
        return made

    @property
    def namespace(self) -> str:
        """Where it is."""
        return str(self.workload["metadata"]["namespace"])

    @property
    def head(self) -> Pod:
        """The head's pod, once it is ready."""
        pod = self.nodes[0].pod
        assert pod is not None, "the head's init containers have not run yet"
        return pod

    @property
    def container(self) -> str:
        """The container that Ray and the author's code run in."""
        return str(self.head.template["spec"]["containers"][0]["name"])

    @property
    def is_ready(self) -> bool:
        """Whether every pod is, and Ray has started in them."""
        if not self.has_ray:
            return self._has_pods
        return self.ray is not None and self.ray.address is not None and not self.ray.has_ended

    @property
    def variables(self) -> dict[str, str]:
        """What a process of its containers is told of Ray, as KubeRay and Ray's job supervisor tell it."""
        joins = {"RAY_ADDRESS": self.ray.address} if self.ray and self.ray.address else {}
        return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": self._token, **joins}

    @property
    def log(self) -> Path:
        """What its containers print."""
        return self.folder / "containers.log"

    def poll(self) -> None:
        """Bring the pods on their way, and write what became of them."""
        if not self.stuck:
            for node in self.nodes:
                self._poll(node)
            if self.has_ray and self._has_pods and (self.ray is None or self.ray.has_ended):
                self.ray = self._start_ray()
        self._tell()

    def serve(self) -> None:
        """Say by labels where requests may go, as KubeRay does once Serve answers."""
        is_headless = self.workload["spec"].get("excludeHeadPodFromServeSvc", False)
        for node in self.nodes:
            serves = "false" if node.group == _HEAD and is_headless else "true"
            self.api.merge(self._pod_path(node), {"metadata": {"labels": {"ray.io/serve": serves}}})

    def end(self) -> None:
        """End what runs."""
        for node in self.nodes:
            if node.process:
                pods.end(node.process, signal.SIGKILL)
        if self.ray:
            self.ray.end()

    def delete(self) -> None:
        """End what runs, and delete its objects."""
        self.end()
        for node in self.nodes:
            self.api.delete(self._pod_path(node))
        self.api.delete(kuberay.path("RayCluster", self.namespace, self.name))

    def status(self) -> Json:
        """Give its status, as KubeRay writes it and copies it into the workload's."""
        head = self.nodes[0]
        conditions = [
            _condition("HeadPodReady", *_head_reason(_pod_status(head, self.stuck))),
            _condition(
                "RayClusterProvisioned",
                self.is_ready,
                "AllPodRunningAndReadyFirstTime" if self.is_ready else "RayClusterPodsProvisioning",
            ),
        ]
        return {
            "conditions": conditions,
            "head": {"podName": head.name},
            "observedGeneration": 1,
            **({"state": "ready"} if self.is_ready else {}),
        }

    def _start_ray(self) -> Head:
        if self.ray:
            self.ray.end()
            self.ray = None
        environment = {**self.head.environment(self.container), **self.variables}
        return Head.start(_processors(self.workload), environment, self.head.folder, self.log)

    @property
    def _has_pods(self) -> bool:
        return all(node.is_ready for node in self.nodes)

    def _add(self, item: Json, group: str, template: Json) -> None:
        kind = "head" if group == _HEAD else "worker"
        name = f"{self.name}-{kind}-{uuid.uuid4().hex[:5]}"
        metadata = template.get("metadata", {})
        labels = {
            "ray.io/cluster": self.name,
            "ray.io/group": group,
            "ray.io/is-ray-node": "yes",
            "ray.io/node-type": kind,
        }
        full = {
            "metadata": {
                "name": name,
                "namespace": self.namespace,
                "labels": {**metadata.get("labels", {}), **labels},
                "annotations": metadata.get("annotations", {}),
                "ownerReferences": [owner_of(item)],
            },
            "spec": template["spec"],
        }
        self.api.create(kuberay.api_path("v1", "pods", self.namespace), full)
        left = [each["name"] for each in template["spec"].get("initContainers", ())]
        self.nodes.append(_Node(name, group, full, left))

    def _poll(self, node: _Node) -> None:
        if node.is_ready or time.monotonic() < node.wait_until:
            return
        if node.pod is None:
            self._lay_out(node)
        elif node.process is None:
            node.process = node.pod.start(node.left[0], self.log)
        elif (code := node.process.poll()) is not None:
            node.process = None
            if code == 0:
                node.left.pop(0)
                node.trouble = node.last = None
            else:
                self._back_off(node, code)

    def _lay_out(self, node: _Node) -> None:
        try:
            node.pod = pods.lay_out(
                node.template,
                self.folder / f"{node.name}-{node.restarts}",
                secrets=lambda name: self._keys("secrets", name),
                config_maps=lambda name: self._keys("configmaps", name),
            )
        except LookupError as err:
            # As the kubelet: the pod waits for what it mounts, and tries again.
            node.restarts += 1
            node.wait_until = time.monotonic() + _RESTART_SECONDS
            node.trouble = {"waiting": {"reason": "CreateContainerConfigError", "message": err.args[0]}}
        else:
            node.trouble = None

    def _back_off(self, node: _Node, code: int) -> None:
        node.restarts += 1
        node.wait_until = time.monotonic() + _RESTART_SECONDS
        words = self.log.read_text("utf-8", "replace")[-_TAIL_CHARACTERS:]
        node.last = {"terminated": {"exitCode": code, "reason": "Error", "message": words}}
        node.trouble = {
            "waiting": {
                "reason": "CrashLoopBackOff",
                "message": f"back-off restarting failed container={node.left[0]} pod={node.name}",
            }
        }

    def _keys(self, plural: str, name: str) -> dict[str, bytes]:
        found = self.api.get(kuberay.api_path("v1", plural, self.namespace, name))
        if found is None:
            raise LookupError(f'{plural.removesuffix("s")} "{name}" not found')
        if plural == "configmaps":
            return {key: value.encode() for key, value in found.get("data", {}).items()}
        return pods.decode(found)

    def _tell(self) -> None:
        """Write the statuses of pods and cluster that have changed."""
        statuses = {self._pod_path(node): _pod_status(node, self.stuck) for node in self.nodes}
        statuses[kuberay.path("RayCluster", self.namespace, self.name)] = self.status()
        for path, status in statuses.items():
            if self._told.get(path) != status:
                self._told[path] = status
                self.api.set_status(path, status)

    def _pod_path(self, node: _Node) -> str:
        return kuberay.api_path("v1", "pods", self.namespace, node.name)


def _groups(spec: Json) -> list[tuple[str, Json]]:
    """Give name and template of each pod: one for a group, however many replicas it asks for."""
    workers = [(each["groupName"], each["template"]) for each in spec.get("workerGroupSpecs", ())]
    return [(_HEAD, spec["headGroupSpec"]["template"]), *workers]


def _processors(workload: Json) -> int:
    """Count the processors that Ray is told of in all pods."""
    groups = spec_of(workload).get("workerGroupSpecs", ())
    counts = (
        int(each.get("rayStartParams", {}).get("num-cpus", 1)) * int(each.get("replicas", 1))
        for each in groups
    )
    return max(1, sum(counts))


def _pod_status(node: _Node, stuck: Json | None) -> Json:
    if stuck:
        return stuck
    ready = "True" if node.is_ready else "False"
    status: Json = {
        "phase": "Running" if node.is_ready else "Pending",
        "conditions": [
            {"type": "PodScheduled", "status": "True"},
            {"type": "Ready", "status": ready, **({} if node.is_ready else {"reason": "ContainersNotReady"})},
        ],
        "containerStatuses": [
            _container_status(each, {"running": {}} if node.is_ready else _INITIALIZING, node.is_ready)
            for each in node.template["spec"]["containers"]
        ],
    }
    if node.left:
        each = {"name": node.left[0], "image": ""}
        found = _container_status(each, node.trouble or {"running": {}}, False)
        found["restartCount"] = node.restarts
        status["initContainerStatuses"] = [{**found, **({"lastState": node.last} if node.last else {})}]
    return status


_INITIALIZING: Json = {"waiting": {"reason": "PodInitializing"}}


def _container_status(container: Json, state: Json, ready: bool) -> Json:
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": ready,
        "restartCount": 0,
        "state": state,
    }


def _head_reason(status: Json) -> tuple[bool, str, str]:
    """Say of a head's pod what KubeRay's condition says: the first container that waits, if one does."""
    conditions = {each["type"]: each for each in status.get("conditions", ())}
    if conditions.get("Ready", {}).get("status") == "True":
        return True, "HeadPodRunningAndReady", ""
    for each in status.get("containerStatuses", ()):
        if waiting := each["state"].get("waiting"):
            return False, waiting["reason"], waiting.get("message", "")
    return False, "Unknown", ""


def _condition(type: str, status: bool, reason: str, message: str = "") -> Json:
    return {
        "type": type,
        "status": "True" if status else "False",
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
