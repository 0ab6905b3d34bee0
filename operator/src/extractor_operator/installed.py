"""Whether the KubeRay that is installed knows what we ask for: the API server drops a field that it does not.

Without a word a run would be done twice, or Ray take orders from whoever reaches it.
"""

import logging
from collections.abc import Mapping
from typing import Any

from extractor_operator import kube
from extractor_operator.errors import ApiError, Gone
from extractor_operator.kube import Client
from extractor_operator.permissions import permission

PERMISSIONS = (permission("apiextensions.k8s.io", "customresourcedefinitions", "get"),)

VERSION = "1.6"
"""The oldest KubeRay that has all of it."""
NEEDED = {
    "rayjobs.ray.io": (
        "preRunningDeadlineSeconds",
        "submitterConfig.backoffLimit",
        "submitterPodTemplate",
        "backoffLimit",
        "rayClusterSpec.authOptions.mode",
    ),
    "rayservices.ray.io": (
        "excludeHeadPodFromServeSvc",
        "upgradeStrategy.type",
        "rayClusterConfig.authOptions.mode",
    ),
}
"""Of the specs that we render, the fields that not every KubeRay has, by definition."""

_DEFINITIONS = kube.path("apiextensions.k8s.io/v1", "customresourcedefinitions")

_logger = logging.getLogger(__name__)


async def check(client: Client) -> None:
    """Say in the log what KubeRay lacks; an operator of a few namespaces may not read that, and goes on."""
    missing = []
    try:
        for name in NEEDED:
            missing += lacking(await client.get(f"{_DEFINITIONS}/{name}"))
    except (ApiError, Gone):
        return
    if missing:
        _logger.error(
            "the KubeRay that is installed drops %s: install KubeRay %s or later with its CRDs",
            ", ".join(missing),
            VERSION,
        )


def lacking(definition: Mapping[str, Any]) -> list[str]:
    """Name the fields that a CustomResourceDefinition lacks, and that we need."""
    name, plural = definition["metadata"]["name"], definition["spec"]["names"]["plural"]
    served = (each for each in definition["spec"]["versions"] if each["name"] == "v1" and each["served"])
    schema = next((each["schema"]["openAPIV3Schema"] for each in served), None)
    if schema is None:
        return [f"{plural} of ray.io/v1"]
    return [f"{plural}.spec.{field}" for field in NEEDED[name] if not _has(schema, f"spec.{field}")]


def _has(schema: Mapping[str, Any], path: str) -> bool:
    for part in path.split("."):
        schema = schema.get("properties", {}).get(part)
        if schema is None:
            return False
    return True
