"""What a run and a served version have in common: the code, where it is, and whose its pods are. Pure."""

import json
from dataclasses import dataclass
from typing import Any

from extractor_apis import naming
from extractor_apis.conditions import Reason
from extractor_apis.delivery import Delivery, Parcel
from extractor_apis.extractor import Extractor
from extractor_apis.extractorversion import ExtractorVersion
from extractor_apis.manifest import Manifest
from extractor_apis.resource import Resource
from extractor_apis.scan import ScanReport
from extractor_apis.services import SecretReference, Services
from extractor_apis.settings import RUNTIME_RAY, Cluster
from extractor_apis.workload import Platform, WorkloadConfig
from extractor_operator.errors import Stalled
from extractor_operator.kube import Json

CONFIG_FILE = "/extractor/config/config.json"
ARTIFACT_FOLDER = "/extractor/artifact"
CAPABILITY_FILE = "/extractor/capability/token"
SOURCE_FOLDER = "/extractor/source"

_CONFIG_BYTES = 200_000
"""The API server takes 262,144 bytes of annotations."""


@dataclass(frozen=True)
class Code:
    """A version that is Ready, and what its scan read of it."""

    version: ExtractorVersion
    manifest: Manifest
    top_folder: str | None

    @classmethod
    def of(cls, version: ExtractorVersion, report: ScanReport) -> "Code":
        """Put together what the cluster and the store know of a version that the scan accepted."""
        if report.manifest is None:
            raise RuntimeError(f"the accepted scan of {version.metadata.name} has no manifest")
        return cls(version, report.manifest, report.top_folder)


@dataclass(frozen=True)
class Workload:
    """Whose pods they are, and what they are told."""

    extractor: Extractor
    code: Code
    cluster: Cluster
    labels: dict[str, str]
    config: WorkloadConfig
    source_secret: str | None = None
    """Secret with what the collection's source asks for."""

    @property
    def image(self) -> str:
        """Give the version's own image, or the platform's."""
        environment = self.code.version.status.environment
        return (environment and environment.image) or self.cluster.runtime_image

    @property
    def config_text(self) -> str:
        """Write the config; the same one is always the same text. Raises Stalled if it is too large."""
        told = self.config.model_dump(mode="json", exclude_defaults=True)
        text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        size = len(text.encode())
        if size > _CONFIG_BYTES:
            raise Stalled(
                Reason.CONFIG_TOO_LARGE,
                f"the config of its pods would have {size} bytes, and may have {_CONFIG_BYTES}: shorten the "
                "manifest's schemas and examples, or the parameters",
            )
        return text


def told(
    code: Code, extractor: Extractor, cluster: Cluster, python: str, parameters: dict[str, Any]
) -> dict[str, Any]:
    """Give the fields that every config of a workload has; ``parameters`` go over the Extractor's."""
    metadata, status = code.version.metadata, code.version.status
    if status.artifact is None:
        raise RuntimeError(f"{metadata.name} is not Ready: it has no artifact")
    artifact = Parcel(digest=status.artifact.digest, size=status.artifact.size)
    environment = _environment(code.version)
    url = f"{cluster.endpoint.rstrip('/')}/v1/{metadata.namespace}/{metadata.uid}"
    return {
        "tree": f"{ARTIFACT_FOLDER}/tree",
        "artifact_digest": artifact.digest,
        "top_folder": code.top_folder,
        "environment": f"{ARTIFACT_FOLDER}/environment" if environment else None,
        "manifest": code.manifest,
        "parameters": {**extractor.spec.parameters, **parameters},
        "services": Services(
            secrets={each.name: SecretReference(env=each.name) for each in extractor.spec.env}
        ),
        "platform": Platform(ray=RUNTIME_RAY, python=python),
        "delivery": Delivery(
            url=url,
            authority=cluster.endpoint_authority,
            artifact=artifact,
            environment=environment,
        ),
    }


def results_folder(cluster: Cluster, namespace: str) -> str:
    """Say where the results of a namespace go, as its pods see it."""
    return f"{cluster.results.removeprefix('file://').rstrip('/')}/{namespace}"


def capability_secret(version: ExtractorVersion) -> str:
    """Name the Secret with the capability to fetch a version's code."""
    return f"{version.metadata.name}-artifact"


def labels(extractor: Extractor, code: Code, **more: str) -> dict[str, str]:
    """Give the labels by which a workload and its pods are found."""
    return {
        naming.MANAGED_BY: naming.FIELD_MANAGER,
        naming.EXTRACTOR_LABEL: extractor.metadata.name,
        naming.VERSION_LABEL: code.version.spec.version,
        **more,
    }


def metadata(owner: Resource, name: str, labels: dict[str, str], **annotations: str) -> Json:
    """Describe a child of one of our objects: it goes when its owner does."""
    return {
        "name": name,
        "namespace": owner.metadata.namespace,
        "labels": labels,
        **({"annotations": annotations} if annotations else {}),
        "ownerReferences": [
            {
                "apiVersion": f"{owner.GROUP}/{owner.VERSION}",
                "kind": type(owner).__name__,
                "name": owner.metadata.name,
                "uid": owner.metadata.uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }


def _environment(version: ExtractorVersion) -> Parcel | None:
    made = version.status.environment
    if made is None or made.key is None:
        return None
    if made.digest is None:
        raise Stalled(
            Reason.ENVIRONMENT_FAILED,
            f"the dependencies of {version.metadata.name} were made for the operator's own machine, and not "
            f"for pods: annotate the version with {naming.REQUESTED_AT}",
        )
    return Parcel(digest=made.digest, size=made.archive_size)
