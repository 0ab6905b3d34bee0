"""A RayService of the local KubeRay: its statuses are the recordings', its applications really serve."""

from dataclasses import dataclass, field
from pathlib import Path

from support import kuberay
from support.kuberay import Api, Json
from support.kuberay_cluster import RayCluster, now
from support.kuberay_head import Head

FINALIZER = "ray.io/rayservice-finalizer"
_NOBODY: Json = {"rayClusterStatus": {"desiredCPU": "0", "head": {}}}


@dataclass
class RayService:
    """One RayService, from its first sight until it is gone. Its upgrade strategy is always None."""

    api: Api
    item: Json
    folder: Path
    stuck: Json | None = None
    """Pod status that its pods never get beyond."""
    cluster: RayCluster | None = None
    is_active: bool = False
    """Whether its cluster was promoted: all applications have run."""
    status: Json = field(default_factory=dict)
    _config: str = ""
    _observed: int = 0

    @property
    def path(self) -> str:
        """Where it is."""
        metadata = self.item["metadata"]
        return kuberay.path("RayService", metadata["namespace"], metadata["name"])

    @property
    def port(self) -> int | None:
        """Where it answers; None while it does not."""
        return self._ray.port if self._ray and self.is_active and self._answers else None

    def poll(self, item: Json) -> None:
        """Do what the real one would do next."""
        self.item, before = item, self.status
        if "deletionTimestamp" in item["metadata"]:
            self.end()
            self.api.merge(self.path, {"metadata": {"finalizers": None}})
            return
        if item["spec"].get("suspend"):
            self._suspend()
        else:
            self._go_on()
            self.status = self._render()
        if self.status != before:
            self.api.set_status(self.path, self.status)

    def lose_head(self) -> None:
        """Have the head's process die; its pod is made again, and the config sent again."""
        if self._ray:
            self._ray.end()

    def end(self) -> None:
        """End what runs."""
        if self.cluster:
            self.cluster.end()

    def _go_on(self) -> None:
        if self.cluster is None:
            self.api.merge(self.path, {"metadata": {"finalizers": [FINALIZER]}})
            self.cluster = RayCluster.create(self.api, self.item, self.folder, self.stuck)
            self._observed = self.item["metadata"]["generation"]
        self.cluster.poll()
        if self._ray is None:
            # A head that was lost knows nothing when it is back.
            self._config = ""
            return
        self._configure(self.cluster, self._ray)
        if self._answers and not self.is_active:
            self.is_active = True
            self.cluster.serve()

    def _configure(self, cluster: RayCluster, ray: Head) -> None:
        """Send the config when it differs from what was sent; one that Ray refuses is not observed."""
        config = self.item["spec"]["serveConfigV2"]
        if config != self._config:
            self._config = config
            ray.send(cluster.head.adapt(config))
        if not ray.is_refused:
            self._observed = self.item["metadata"]["generation"]

    def _suspend(self) -> None:
        if self.cluster:
            self.end()
            self.cluster.delete()
            self.cluster = None
            self.is_active = False
        self._observed = self.item["metadata"]["generation"]
        self.status = {
            "activeServiceStatus": _NOBODY,
            "pendingServiceStatus": _NOBODY,
            "observedGeneration": self._observed,
            "conditions": [
                self._condition("Ready", False, "SuspendComplete", "RayService is suspended."),
                self._condition(
                    "Suspended", True, "SuspendComplete", "All owned resources have been deleted."
                ),
            ],
        }

    @property
    def _answers(self) -> bool:
        """Whether some replica of every application does; one that is being updated still answers."""
        applications = self._applications.values()
        if not applications:
            return False
        return self.is_active or all(each["status"] == "RUNNING" for each in applications)

    @property
    def _applications(self) -> Json:
        return self._ray.applications if self._ray else {}

    @property
    def _ray(self) -> Head | None:
        """Give its Ray, while it is there."""
        return self.cluster.ray if self.cluster and self.cluster.is_ready else None

    def _render(self) -> Json:
        assert self.cluster is not None
        ours = {
            "applicationStatuses": self._applications,
            "rayClusterName": self.cluster.name,
            "rayClusterStatus": self.cluster.status(),
        }
        endpoints = 1 if self.is_active and self._answers else 0
        if endpoints:
            ready = (True, "NonZeroServeEndpoints", "Number of serve endpoints is greater than 0")
        elif self.is_active:
            ready = (False, "ZeroServeEndpoints", "Number of serve endpoints dropped to 0")
        else:
            ready = (False, "Initializing", "RayService is initializing")
        return {
            "activeServiceStatus": ours if self.is_active else _NOBODY,
            "pendingServiceStatus": _NOBODY if self.is_active else ours,
            "numServeEndpoints": endpoints,
            "observedGeneration": self._observed,
            "conditions": [
                self._condition("Ready", *ready),
                self._condition("UpgradeInProgress", False, "NoPendingCluster", ""),
            ],
        }

    def _condition(self, type: str, status: bool, reason: str, message: str) -> Json:
        found = {
            "type": type,
            "status": "True" if status else "False",
            "reason": reason,
            "message": message,
            "observedGeneration": self._observed,
        }
        for known in self.status.get("conditions", ()):
            if known["type"] == type and known["status"] == found["status"]:
                return {**found, "lastTransitionTime": known["lastTransitionTime"]}
        return {**found, "lastTransitionTime": now()}
