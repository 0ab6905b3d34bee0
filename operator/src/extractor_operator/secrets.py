"""Secrets of a tenant's namespace, read when they are needed and kept nowhere."""

import base64
from collections.abc import Iterable

from extractor_apis.conditions import Reason
from extractor_apis.resource import LocalReference
from extractor_artifacts import sources
from extractor_operator import kube
from extractor_operator.errors import Gone, Waiting
from extractor_operator.kube import Client
from extractor_operator.permissions import permission

PERMISSIONS = (permission("", "secrets", "get"),)

AGAIN_SECONDS = 30.0
"""Between looks at a Secret that is not what it must be."""
_DOCKER_CONFIG = ".dockerconfigjson"


async def read(client: Client, namespace: str, name: str) -> dict[str, bytes]:
    """Read a Secret. Raises Waiting while there is none: nobody tells us when there is."""
    try:
        secret = await client.get(kube.path("v1", "secrets", namespace, name))
    except Gone:
        message = f"the Secret {name} is not there: create it in the namespace {namespace}"
        raise Waiting(Reason.SECRET_MISSING, message, after=AGAIN_SECONDS) from None
    return {key: base64.b64decode(value) for key, value in secret.get("data", {}).items()}


async def pull_secrets(
    client: Client, namespace: str, named: Iterable[LocalReference]
) -> sources.Credentials:
    """Read the Secrets that log in to a registry. Raises Waiting while one is missing."""
    found = [await read(client, namespace, each.name) for each in named]
    return sources.Credentials(pull_secrets=tuple(each.get(_DOCKER_CONFIG, b"") for each in found))
