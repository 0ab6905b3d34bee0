"""What is watched: our own kinds, and the workloads that KubeRay runs for them."""

from dataclasses import dataclass

from extractor_apis.collection import Collection
from extractor_apis.extractor import Extractor
from extractor_apis.extractorrun import ExtractorRun
from extractor_apis.extractorversion import ExtractorVersion
from extractor_apis.resource import Resource
from extractor_apis.settings import Settings


@dataclass(frozen=True)
class Watched:
    """A kind, as the API server names it."""

    group: str
    version: str
    plural: str
    kind: str

    @property
    def api(self) -> str:
        """Its `apiVersion`."""
        return f"{self.group}/{self.version}"


RAY_JOBS = Watched("ray.io", "v1", "rayjobs", "RayJob")
RAY_SERVICES = Watched("ray.io", "v1", "rayservices", "RayService")


def _own(resource: type[Resource]) -> Watched:
    """Name one of our kinds."""
    return Watched(resource.GROUP, resource.VERSION, resource.PLURAL, resource.__name__)


OURS = tuple(map(_own, (ExtractorVersion, Extractor, Collection, ExtractorRun)))
WORKLOADS = (RAY_JOBS, RAY_SERVICES)
RUNS = _own(ExtractorRun)


def kinds(settings: Settings) -> tuple[Watched, ...]:
    """Say what is watched; without a cluster for workloads, versions only."""
    return OURS[:1] if settings.cluster is None else (*OURS, *WORKLOADS)
