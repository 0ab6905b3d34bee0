"""Secrets of a tenant's namespace, read when they are needed and kept nowhere."""

import base64
import binascii

from extractor_apis.conditions import Reason
from extractor_operator import kube
from extractor_operator.errors import Gone, Stalled, Waiting
from extractor_operator.kube import Client
from extractor_operator.permissions import permission

PERMISSIONS = (permission("", "secrets", "get"),)

_AGAIN_SECONDS = 30.0


async def read(client: Client, namespace: str, name: str) -> dict[str, bytes]:
    """Read a Secret. Raises Waiting while there is none: nobody tells us when there is."""
    try:
        secret = await client.get(kube.path("v1", "secrets", namespace, name))
    except Gone:
        message = f"the Secret {name} is not there: create it in the namespace {namespace}"
        raise Waiting(Reason.SECRET_MISSING, message, after=_AGAIN_SECONDS) from None
    try:
        return {key: base64.b64decode(value) for key, value in secret.get("data", {}).items()}
    except binascii.Error:
        raise Stalled(Reason.SECRET_MISSING, f"the Secret {name} cannot be decoded: write it again") from None
