"""The capability by which a version's pods fetch its code: a Secret that goes with the version."""

import base64

from extractor_apis import naming
from extractor_apis.extractorversion import ExtractorVersion
from extractor_operator import kube
from extractor_operator.context import Context
from extractor_operator.endpoint.capability import Verb
from extractor_operator.errors import Gone
from extractor_operator.kube import Json
from extractor_operator.kuberay import workload
from extractor_operator.permissions import permission
from extractor_operator.versions.job import TOKEN

PERMISSIONS = (permission("", "secrets", "get", "create", "patch"),)


async def ensure(version: ExtractorVersion, ctx: Context) -> None:
    """Have the Secret with the capability, as it is wanted."""
    metadata = version.metadata
    wanted = render_secret(version, ctx.capabilities.token(metadata.namespace, metadata.uid, Verb.READ))
    path = kube.path("v1", "secrets", metadata.namespace, wanted["metadata"]["name"])
    try:
        known = await ctx.client.get(path)
    except Gone:
        known = {"metadata": {}}
    if (known.get("data"), _owners(known)) != (wanted["data"], _owners(wanted)):
        await ctx.client.apply(path, wanted)


def render_secret(version: ExtractorVersion, token: str) -> Json:
    """Render the Secret that the pods of the version mount."""
    name = workload.capability_secret(version)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": workload.metadata(version, name, {naming.MANAGED_BY: naming.FIELD_MANAGER}),
        "data": {TOKEN: base64.b64encode(token.encode()).decode()},
    }


def _owners(secret: Json) -> set[str]:
    return {each["uid"] for each in secret["metadata"].get("ownerReferences", ())}
