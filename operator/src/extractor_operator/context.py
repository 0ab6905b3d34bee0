"""What the steps of a reconcile work with, all of it given from outside."""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from extractor_apis.scan import ScanPolicy, ScanReport
from extractor_apis.settings import Cluster, Settings
from extractor_artifacts import ArtifactStore
from extractor_artifacts.blobs import BlobStore
from extractor_artifacts.environments import Cache
from extractor_operator.endpoint import capability
from extractor_operator.endpoint.built import Built
from extractor_operator.endpoint.capability import Capabilities
from extractor_operator.endpoint.errands import Errands
from extractor_operator.inbox import Inbox
from extractor_operator.kube import Client
from extractor_operator.metrics import Metrics
from extractor_operator.store import Store

P = ParamSpec("P")
R = TypeVar("R")


class Scanner(Protocol):
    """What judges archives."""

    async def scan(self, archive: Path, policy: ScanPolicy, *, into: Path) -> ScanReport:
        """Judge an archive; if it is accepted, its canonical form is at ``into`` then."""


@dataclass(frozen=True)
class Context:
    """Client, settings, stores and pools."""

    client: Client
    settings: Settings
    inbox: Inbox
    """Whom to tell what the API server answers to a write."""
    artifacts: ArtifactStore
    scanner: Scanner
    threads: ThreadPoolExecutor
    """For what blocks; as many as reconciles may be at work, so that none waits for one."""
    work: Path
    """Folder for what is on its way; emptied when the operator starts."""
    metrics: Metrics

    @property
    def store(self) -> Store:
        """Give what was last seen of every object."""
        return self.inbox.store

    @property
    def cluster(self) -> Cluster:
        """Where workloads run; only kinds ask that are not watched without one."""
        if self.settings.cluster is None:
            raise RuntimeError("the settings name no cluster")
        return self.settings.cluster

    @property
    def scans_in_jobs(self) -> bool:
        """Whether archives are scanned in Jobs, and not beside the operator."""
        return self.settings.cluster is not None and self.settings.cluster.scan_image is not None

    @functools.cached_property
    def capabilities(self) -> Capabilities:
        """What pods are allowed by."""
        return capability.load(self.settings.store.absolute() / "capability.key")

    @property
    def errands(self) -> Errands:
        """What Jobs are sent for."""
        return Errands(self.settings.store.absolute() / "errands")

    @property
    def environments(self) -> Cache:
        """The environments that are made on this machine."""
        return Cache(self.settings.store.absolute() / "environments", self.settings.packages)

    def built(self, tenant: str | None) -> Built:
        """Give the environments that Jobs have made for a namespace, or None for all of them."""
        return Built(self.built_root, tenant)

    @property
    def built_root(self) -> Path:
        """Where the environments are that Jobs have made."""
        return self.settings.store.absolute() / "built"

    def blobs(self, namespace: str) -> BlobStore:
        """Give the sources that a namespace has fetched, which are nobody else's to read."""
        return BlobStore(self._sources / namespace)

    def tenants(self) -> list[str]:
        """Name the namespaces that have fetched anything."""
        return sorted(each.name for each in self._sources.iterdir()) if self._sources.is_dir() else []

    @property
    def _sources(self) -> Path:
        return self.settings.store.absolute() / "sources"

    async def in_thread(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do what blocks; it has a limit of its own, since no thread can be stopped."""
        bound = functools.partial(call, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self.threads, bound)
