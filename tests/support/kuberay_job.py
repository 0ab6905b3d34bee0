"""A RayJob of the local KubeRay: its statuses are those of the recordings, its entry point really runs.

The submitter's Job is not played: with a back-off limit of 0 all it adds is that a lost head is a failure.
"""

import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from support import kuberay, pods
from support.kuberay import Api, Json
from support.kuberay_cluster import RayCluster, now

FINALIZER = "ray.io/rayjob-finalizer"
_LOG_CHARACTERS = 20_000
_ENDED = ("Complete", "Failed")


@dataclass
class RayJob:
    """One RayJob, from its first sight until it is gone."""

    api: Api
    item: Json
    folder: Path
    stuck: Json | None = None
    """Pod status that its pods never get beyond."""
    has_ray: bool = True
    """Whether Ray is started for its entry point to join."""
    cluster: RayCluster | None = None
    process: "subprocess.Popen[bytes] | None" = None
    status: Json = field(default_factory=dict)
    _loses_head: bool = False
    _began: float = 0.0
    _ended: float = 0.0

    @property
    def path(self) -> str:
        """Where it is."""
        metadata = self.item["metadata"]
        return kuberay.path("RayJob", metadata["namespace"], metadata["name"])

    def poll(self, item: Json) -> None:
        """Do what the real one would do next."""
        self.item, before = item, dict(self.status)
        if "deletionTimestamp" in item["metadata"]:
            self.end()
            self.api.merge(self.path, {"metadata": {"finalizers": None}})
            return
        if item["spec"].get("suspend"):
            self._suspend()
        elif not self.status.get("jobDeploymentStatus") or self._is("Suspended"):
            self._begin()
        elif self._is(*_ENDED):
            self._clean_up()
        else:
            self._go_on()
        if self.status != before:
            self.api.set_status(self.path, self.status)

    def lose_head(self) -> None:
        """Have the head's pod vanish with all that it ran; the submitter, tried once, then fails the job."""
        self._loses_head = True

    def kill_entrypoint(self) -> None:
        """Kill the entry point as a node that is out of memory does."""
        self._end_process(signal.SIGKILL)

    def end(self) -> None:
        """End what runs."""
        self._end_process(signal.SIGKILL)
        if self.cluster:
            self.cluster.end()

    def _is(self, *statuses: str) -> bool:
        return self.status.get("jobDeploymentStatus") in statuses

    def _begin(self) -> None:
        self.api.merge(self.path, {"metadata": {"finalizers": [FINALIZER]}})
        self.cluster = RayCluster.create(self.api, self.item, self.folder, self.stuck, has_ray=self.has_ray)
        self._began = time.monotonic()
        self.status = {
            "failed": 0,
            "succeeded": 0,
            "jobDeploymentStatus": "Initializing",
            "jobId": f"{self.cluster.name}-job",
            "rayClusterName": self.cluster.name,
            "rayClusterStatus": self.cluster.status(),
            "startTime": now(),
        }

    def _go_on(self) -> None:
        assert self.cluster is not None
        if self._loses_head:
            self._drop()
            message = "Job submission has failed. Reason: BackoffLimitExceeded. Message: Job has reached the"
            self._finish("Failed", "SubmissionFailed", f"{message} specified backoff limit")
            return
        self.cluster.poll()
        self.status = {**self.status, "rayClusterStatus": self.cluster.status()}
        for name, until, reason in (
            ("preRunningDeadlineSeconds", "Initializing", "PreRunningDeadlineExceeded"),
            ("activeDeadlineSeconds", None, "DeadlineExceeded"),
        ):
            seconds = self.item["spec"].get(name)
            if seconds and until in (None, self.status["jobDeploymentStatus"]) and self._age > seconds:
                self._finish("Failed", reason, f"The RayJob has passed the {name}. {name}: {seconds}")
                return
        if self._is("Initializing"):
            if self.cluster.is_ready:
                self._submit(self.cluster)
        elif self.process and (code := self.process.poll()) is not None:
            self._conclude(code)

    def _submit(self, cluster: RayCluster) -> None:
        words = shlex.split(self.item["spec"]["entrypoint"])
        words = [sys.executable if each == "python" else cluster.head.adapt(each) for each in words]
        self.process = cluster.head.start(cluster.container, self.log, words, cluster.variables)
        running = {"jobDeploymentStatus": "Running", "jobStatus": "RUNNING"}
        self.status = {**self.status, **running, "message": "Job is currently running."}

    def _conclude(self, code: int) -> None:
        if code == 0:
            done = {"jobStatus": "SUCCEEDED", "message": "Job finished successfully.", "succeeded": 1}
            self.status = {**self.status, **done, "jobDeploymentStatus": "Complete", "endTime": now()}
            self._ended = time.monotonic()
            return
        # A shell's way to say that a signal ended it.
        shown = 128 - code if code < 0 else code
        words = self.log.read_text("utf-8", "replace")[-_LOG_CHARACTERS:]
        self.status = {**self.status, "jobStatus": "FAILED"}
        message = f"Job entrypoint command failed with exit code {shown}, last available logs "
        self._finish("Failed", "AppFailed", f"{message}(truncated to 20,000 chars):\n{words}")

    def _finish(self, outcome: str, reason: str, message: str) -> None:
        ended = {"jobDeploymentStatus": outcome, "reason": reason, "message": message, "failed": 1}
        self.status = {**self.status, **ended, "endTime": now()}
        self._ended = time.monotonic()

    def _clean_up(self) -> None:
        spec = self.item["spec"]
        waited = time.monotonic() - self._ended >= spec.get("ttlSecondsAfterFinished", 0)
        if self.cluster and spec.get("shutdownAfterJobFinishes") and waited:
            self._drop()

    def _suspend(self) -> None:
        if not self._is("Suspended", *_ENDED):
            self._drop()
            self.status = {"failed": 0, "succeeded": 0, "jobDeploymentStatus": "Suspended"}

    def _drop(self) -> None:
        self._end_process(signal.SIGTERM)
        if self.cluster:
            self.cluster.delete()
            self.cluster = None

    def _end_process(self, how: signal.Signals) -> None:
        if self.process:
            pods.end(self.process, how)

    @property
    def _age(self) -> float:
        return time.monotonic() - self._began

    @property
    def log(self) -> Path:
        """What its entry point prints."""
        return self.folder / f"{self.item['metadata']['name']}.log"
