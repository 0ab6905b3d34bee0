"""What is known when an extractor is decided upon: what its spec asks for, and what is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from extractor_apis.extractor import ExtractorStatus, Realtime, Rollout
from extractor_operator.kuberay.service import ServiceObservation


@dataclass(frozen=True)
class Wanted:
    """A RayService as the spec asks for it now."""

    version: str
    name: str
    config: str
    """Serve's, which may change in place; anything else would be another RayService."""
    pods: int
    """Workers, each with a replica."""
    gpus: int
    """Of all of them together."""
    gpu_resource: str


@dataclass(frozen=True)
class Found:
    """A RayService that is there."""

    name: str
    version: str
    observed: ServiceObservation
    is_going: bool = False
    """Whether it is being deleted: its name is not free yet."""
    config: str | None = None
    """Serve's, as it was last applied."""
    good: str | None = None
    """Serve's before that, if it may be put back."""
    refused: str | None = None
    """Hash of a config that failed and was put back."""

    @property
    def may_answer(self) -> bool:
        """Tell whether it may be promoted: it runs as it was last configured, and has for a while."""
        return self.observed.answers and self.observed.is_settled and self.observed.cluster_name is not None


@dataclass(frozen=True)
class Scene:
    """An extractor that serves, and everything around it."""

    namespace: str
    extractor: str
    version: str
    """The one that is asked for."""
    realtime: Realtime
    published: frozenset[str]
    """Versions whose vectors a collection has published."""
    wanted: Mapping[str, Wanted]
    """By version; without those that cannot be run."""
    found: Mapping[str, Found]
    """By name."""
    status: ExtractorStatus
    """What was last said."""
    now: datetime

    @property
    def versions(self) -> tuple[str, ...]:
        """Name the versions that are to answer, the active one first."""
        return (self.version, *sorted(self.published - {self.version}))

    @property
    def target(self) -> Wanted | None:
        """Give the RayService that the spec asks for; None while its version cannot be run."""
        return self.wanted.get(self.version)

    @property
    def asked(self) -> Found | None:
        """Give what is there of it."""
        return self.there(self.target.name) if self.target else None

    def there(self, name: str) -> Found | None:
        """Find a RayService that is there and stays."""
        found = self.found.get(name)
        return None if found is None or found.is_going else found

    def rollout(self, name: str) -> Rollout | None:
        """Give what was last said of a RayService on its way."""
        return next((each for each in self.status.rollouts if each.workload == name), None)
