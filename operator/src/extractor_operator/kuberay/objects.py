"""KubeRay's objects and their pods, as far as they are read.

Others write them, other versions of them too: what is missing or null is the default, what is not known
is ignored, and a status that is called an enum is text.
"""

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field, model_validator

from extractor_apis.meta import CamelStruct


class Foreign(CamelStruct):
    """Something that others wrote."""

    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: each for name, each in value.items() if each is not None}


class Metadata(Foreign):
    """Which object it is."""

    name: str = ""
    generation: int = 0
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None


class Sign(Foreign):
    """A condition of an object that is not ours."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


class Signs(Foreign):
    """What has conditions."""

    conditions: tuple[Sign, ...] = ()

    def find(self, type: str) -> Sign | None:
        """Find a condition by its type."""
        return next((sign for sign in self.conditions if sign.type == type), None)

    def holds(self, type: str) -> bool:
        """Tell whether a condition is there and True."""
        sign = self.find(type)
        return sign is not None and sign.status == "True"


class RayCluster(Foreign):
    """A cluster of Ray, which a RayJob or RayService has."""

    metadata: Metadata = Metadata()
    status: Signs = Signs()


class RayJobSpec(Foreign):
    """What a job asks for."""

    suspend: bool = False
    shutdown_after_job_finishes: bool = False
    pre_running_deadline_seconds: int | None = None
    active_deadline_seconds: int | None = None
    deletion_strategy: dict[str, Any] | None = None
    """What is deleted when it has ended, instead of all of it."""


class RayJobStatus(Foreign):
    """How a job is."""

    job_deployment_status: str = ""
    """KubeRay's word, which decides."""
    job_status: str = ""
    """Ray's own, when it was last asked."""
    reason: str = ""
    message: str = ""
    ray_cluster_name: str = ""
    ray_cluster_status: Signs = Signs()
    """A copy; it stays when the cluster is gone."""
    job_status_check_failure_start_time: datetime | None = None
    """Since when Ray does not answer KubeRay."""
    start_time: datetime | None = None
    """When this attempt began; each of KubeRay's own retries, and each resuming, sets it anew."""
    end_time: datetime | None = None
    failed: int = 0
    """Attempts of KubeRay's own that failed."""


class RayJob(Foreign):
    """A batch job with a cluster of its own."""

    metadata: Metadata = Metadata()
    spec: RayJobSpec = RayJobSpec()
    status: RayJobStatus = RayJobStatus()


class Deployment(Foreign):
    """A deployment of a Serve application."""

    status: str = ""
    message: str = ""


class Application(Foreign):
    """A Serve application."""

    status: str = ""
    message: str = ""
    serve_deployment_statuses: dict[str, Deployment] = Field(default_factory=dict)


class ServingCluster(Foreign):
    """One of the two clusters that a service may have."""

    ray_cluster_name: str = ""
    application_statuses: dict[str, Application] = Field(default_factory=dict)


class RayServiceSpec(Foreign):
    """What a service asks for."""

    suspend: bool = False


class RayServiceStatus(Signs):
    """How a service is."""

    active_service_status: ServingCluster = ServingCluster()
    """The cluster that answers."""
    pending_service_status: ServingCluster = ServingCluster()
    """The cluster that is to answer next."""
    num_serve_endpoints: int = 0
    observed_generation: int = 0


class RayService(Foreign):
    """Serve applications with a cluster of their own."""

    metadata: Metadata = Metadata()
    spec: RayServiceSpec = RayServiceSpec()
    status: RayServiceStatus = RayServiceStatus()


class Waiting(Foreign):
    """Why a container does not run yet."""

    reason: str = ""
    message: str = ""


class Terminated(Foreign):
    """How a container ended."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""


class ContainerState(Foreign):
    """One of three; running has nothing that is read."""

    waiting: Waiting | None = None
    terminated: Terminated | None = None


class Container(Foreign):
    """How a container is."""

    name: str = ""
    image: str = ""
    ready: bool = False
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodStatus(Signs):
    """How a pod is."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    init_container_statuses: tuple[Container, ...] = ()
    container_statuses: tuple[Container, ...] = ()


class Resources(Foreign):
    """What a container asks for."""

    requests: dict[str, str] = Field(default_factory=dict)


class ContainerSpec(Foreign):
    """What a container is made of."""

    resources: Resources = Resources()


class PodSpec(Foreign):
    """What a pod is made of."""

    containers: tuple[ContainerSpec, ...] = ()


class Pod(Foreign):
    """A pod of a cluster of Ray."""

    metadata: Metadata = Metadata()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()
