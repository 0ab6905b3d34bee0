"""What every process is told that runs an author's code, over a collection or to answer queries.

In a cluster it is one JSON file, mounted from an annotation of the pod, so that it holds no secret and never
changes while the pod lives.
"""

from pydantic import ConfigDict, Field, JsonValue

from extractor_apis.delivery import Delivery
from extractor_apis.manifest import Manifest
from extractor_apis.meta import Struct
from extractor_apis.services import Services


class Platform(Struct):
    """What the pods of a workload have to agree on; an image with anything else is refused."""

    ray: str
    """Version of Ray, whole."""
    python: str
    """Version of Python, without the last number: ``3.11``."""


class WorkloadConfig(Struct):
    """Which code, and what it may use."""

    tree: str
    """The unpacked, accepted artifact."""
    artifact_digest: str
    top_folder: str | None = None
    """Folder that the uploaded archive wrapped its files in; the author may import through its name."""
    environment: str | None = None
    """Folder of the distributions that the artifact depends on beside what the runtime has."""
    manifest: Manifest
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    services: Services = Services()
    """Secrets and language models that the author's code may use."""
    platform: Platform | None = None
    """What the image must have; None on one machine, where there is only one."""
    delivery: Delivery | None = None
    """Where the tree and the environment come from; None where they are there already."""


class Installation(Struct):
    """Of a workload's config, what its init container needs to know."""

    model_config = ConfigDict(extra="ignore")

    delivery: Delivery
    platform: Platform | None = None
