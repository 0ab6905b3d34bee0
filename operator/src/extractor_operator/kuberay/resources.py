"""How large pods are: as the Extractor says, or else as the manifest asks. Pure.

Ray counts whole processors and GPUs, and a pod that asks for a part of a GPU gets one (or what the cluster
calls a part of one).
"""

import decimal
import math
import re
from dataclasses import dataclass

from extractor_apis.extractor import Batch, Realtime, Resources
from extractor_apis.manifest import Manifest, ServeConfig
from extractor_operator.kube import Json

_RAY_GIB = 1.0
"""What Ray's own processes take of a pod beside the replica."""
_OBJECTS_GIB = 2.0
"""The same of a run's pods, and the objects on their way between actors."""
_GPU_CPUS = 2
_CPU_ACTORS = 2
_TARGET_ONGOING = 2.0
_QUANTITY = re.compile(
    r"(?P<number>[0-9]{1,20}(\.[0-9]{1,20})?([eE][0-9]{1,2})?)(?P<suffix>[numkMGTPE]|[KMGTPE]i)?"
)
_SUFFIXES = {
    **{suffix: decimal.Decimal(10) ** power for suffix, power in zip("num", (-9, -6, -3), strict=True)},
    **{suffix: decimal.Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": decimal.Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
}


@dataclass(frozen=True)
class Size:
    """What one pod gets."""

    cpu: str
    memory: str
    gpus: int
    gpu_resource: str

    @property
    def processors(self) -> int:
        """Count the processors that Ray has to give away."""
        return max(1, math.ceil(amount(self.cpu)))

    def render(self) -> Json:
        """Ask for exactly that: a pod that may take more than it asked for is the first to be killed."""
        asked = {"cpu": self.cpu, "memory": self.memory}
        if self.gpus:
            asked[self.gpu_resource] = str(self.gpus)
        return {"requests": asked, "limits": asked}

    def start_parameters(self) -> dict[str, str]:
        """Tell Ray the same: KubeRay would know a GPU by its name's end, which a part of one lacks."""
        return {"num-cpus": str(self.processors), "num-gpus": str(self.gpus)}


@dataclass(frozen=True)
class Replicas:
    """How many replicas answer."""

    least: int
    most: int
    target_ongoing: float
    """Requests that each is to have at a time."""


def amount(quantity: str) -> decimal.Decimal:
    """Read an amount as Kubernetes writes it: ``500m`` is a half. Raises ValueError for anything else."""
    match = _QUANTITY.fullmatch(quantity)
    if match is None:
        raise ValueError(f"{quantity!r} is no quantity")
    return decimal.Decimal(match["number"]) * _SUFFIXES.get(match["suffix"] or "", decimal.Decimal(1))


def worker(batch: Batch, manifest: Manifest) -> Size:
    """Size one worker pod of a run: by default for as many actors as the compute profile allows."""
    profile = manifest.compute_profile
    declared = profile.max_concurrency if "max_concurrency" in profile.model_fields_set else None
    default = {"cpu": declared or _CPU_ACTORS, "gpu": _GPU_CPUS, "api": 1}[profile.resource_type]
    cpu = batch.resources.cpu or str(default)
    processors = max(1, math.ceil(amount(cpu)))
    actors = min(processors, declared or processors) if profile.resource_type == "cpu" else 1
    gpus = int(profile.resource_type == "gpu")
    return _size(batch.resources, cpu, actors * profile.actor_memory_gb + _OBJECTS_GIB, gpus)


def replica(realtime: Realtime, manifest: Manifest) -> Size:
    """Size the pod of one replica."""
    profile, config = manifest.compute_profile, manifest.serve_config or ServeConfig()
    gpus = math.ceil(config.num_gpus) if config.num_gpus is not None else int(profile.resource_type == "gpu")
    cpu = realtime.resources.cpu or _cores(config.num_cpus or (_GPU_CPUS if gpus else 1))
    return _size(realtime.resources, cpu, (config.memory_gb or profile.actor_memory_gb) + _RAY_GIB, gpus)


def replicas(realtime: Realtime, manifest: Manifest) -> Replicas:
    """Say how many replicas answer: as the Extractor says, or else as the manifest's ``serve_config``."""
    config = manifest.serve_config or ServeConfig()
    least = realtime.min_replicas or config.min_replicas or config.num_replicas or 1
    most = realtime.max_replicas or max(least, config.max_replicas or 1, config.num_replicas or 1)
    target = realtime.target_ongoing_requests or config.target_ongoing_requests or _TARGET_ONGOING
    return Replicas(min(least, most), most, float(target))


def _size(said: Resources, cpu: str, gib: float, gpus: int) -> Size:
    memory = said.memory or f"{math.ceil(gib * 1024)}Mi"
    return Size(cpu, memory, gpus if said.gpu is None else said.gpu, said.gpu_resource)


def _cores(number: float) -> str:
    return str(int(number)) if number == int(number) else f"{math.ceil(number * 1000)}m"
