"""The objects that others run for us: made once, deleted by uid, and asked why they are not well."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from extractor_apis.conditions import Reason
from extractor_operator import kube
from extractor_operator.context import Context
from extractor_operator.errors import ApiError, ApiUnavailable, Exists, Gone, Retrying, Waiting
from extractor_operator.kube import Json
from extractor_operator.permissions import permission
from extractor_operator.relations import key_of
from extractor_operator.watched import RAY_JOBS, Watched

PERMISSIONS = (
    permission(RAY_JOBS.group, RAY_JOBS.plural, "get", "create", "delete"),
    permission("ray.io", "rayclusters", "get"),
    permission("", "pods", "list"),
)

_AGAIN_SECONDS = 5.0
_INSTALLED_SECONDS = 60.0
_PODS = 100


@dataclass(frozen=True)
class Surroundings:
    """What is around a workload that is not well."""

    cluster: Json | None = None
    pods: Sequence[Json] = ()


async def create(kind: Watched, namespace: str, body: Json, ctx: Context) -> None:
    """Make an object, unless it is there. Raises Waiting while another one has its name."""
    collection, name = kube.path(kind.api, kind.plural, namespace), body["metadata"]["name"]
    try:
        with ctx.inbox.expecting(key_of(body)):
            made = await ctx.client.create(collection, body)
    except Exists as err:
        try:
            made = await ctx.client.get(f"{collection}/{name}")
        except Gone:
            # It is going just now; or what is in the way is another conflict, such as over a quota's count.
            raise Retrying(Reason.WORKLOAD_REFUSED, str(err)) from err
        if _owner_uid(made) != _owner_uid(body):
            # Of an object of the same name that was deleted, so that it goes as well.
            raise Waiting(
                Reason.WORKLOAD_REFUSED,
                f"the {kind.kind} {name} that is there belongs to something else; waiting for it to go",
                after=_AGAIN_SECONDS,
            ) from None
    except Gone as err:
        raise Waiting(
            Reason.WORKLOAD_REFUSED,
            f"the API server takes no {kind.kind}: install KubeRay, unless the namespace is being deleted",
            after=_INSTALLED_SECONDS,
        ) from err
    except ApiUnavailable:
        raise
    except ApiError as err:
        raise Retrying(Reason.WORKLOAD_REFUSED, str(err)) from err
    ctx.inbox.made(made)


async def delete(kind: Watched, namespace: str, child: Json, ctx: Context) -> None:
    """Delete an object, and after it what was made for it; one that is being deleted is left alone."""
    metadata = child["metadata"]
    if "deletionTimestamp" not in metadata:
        await ctx.client.delete(
            kube.path(kind.api, kind.plural, namespace, metadata["name"]), metadata["uid"]
        )


async def surroundings(namespace: str, cluster: str | None, pods: str, ctx: Context) -> Surroundings:
    """Read the RayCluster of a workload, and the pods that a label selector finds."""
    found = None
    if cluster:
        with contextlib.suppress(Gone):
            found = await ctx.client.get(kube.path("ray.io/v1", "rayclusters", namespace, cluster))
    return Surroundings(found, await ctx.client.find(kube.path("v1", "pods", namespace), pods, limit=_PODS))


def _owner_uid(body: Json) -> str | None:
    owners = body["metadata"].get("ownerReferences", ())
    return next((each["uid"] for each in owners if each.get("controller")), None)
