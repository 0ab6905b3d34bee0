"""What an extractor has in the cluster that nobody tells us of: stable Services, and a NetworkPolicy.

They are applied whenever they would be others than the last time, which the status remembers. Each process
looks once whether they are there: somebody may have deleted them.
"""

import ipaddress
from collections.abc import Iterable

from extractor_apis.conditions import Reason
from extractor_apis.extractor import Egress, Extractor, ServedVersion
from extractor_operator import kube
from extractor_operator.context import Context
from extractor_operator.errors import Gone, Stalled
from extractor_operator.kube import Json
from extractor_operator.kuberay import network_policy, rayservice, stable_service
from extractor_operator.permissions import permission

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PERMISSIONS = (
    permission("", "services", "get", "create", "patch", "delete"),
    permission("networking.k8s.io", "networkpolicies", "get", "create", "patch"),
)


async def ensure(
    extractor: Extractor, served: tuple[ServedVersion, ...], ctx: Context, *, is_first: bool
) -> str:
    """Have them there, the active version's Service last; give their hash, which the status keeps.

    ``is_first`` has them looked at although the status says that they were applied.

    Raises Stalled if a Service of that name belongs to somebody else.
    """
    granted = [each for each in extractor.spec.egress if _is_granted(each, extractor, ctx)]
    policy = network_policy.render_policy(extractor, ctx.cluster, granted)
    # Who still asks for the version before finds its own Service, before the extractor's leads elsewhere.
    services = [
        stable_service.render_service(extractor, each.service, each.cluster)
        for each in sorted(served, key=lambda each: each.active)
    ]
    digest = rayservice.workload_hash({"objects": [policy, *services]})
    policies = kube.path("networking.k8s.io/v1", "networkpolicies", extractor.metadata.namespace)
    there = [f"{policies}/{policy['metadata']['name']}", *(_path(extractor, each.service) for each in served)]
    is_there = digest == extractor.status.applied
    if is_there and is_first:
        is_there = all([await _find(path, ctx) for path in there])
    if not is_there:
        await ctx.client.apply(there[0], policy)
        for service in services:
            await _apply(extractor, service, ctx)
    return digest


def require_egress(extractor: Extractor, ctx: Context) -> None:
    """See that the extractor asks for no way out that it was not granted. Raises Stalled if it does."""
    refused = next((each for each in extractor.spec.egress if not _is_granted(each, extractor, ctx)), None)
    if refused:
        allowed = ctx.settings.policy(extractor.metadata.namespace).egress
        named = ", ".join(map(str, allowed)) or "none"
        raise Stalled(
            Reason.EGRESS_REFUSED,
            f"spec.egress names {refused.cidr}, and the networks that this namespace may name are: {named}",
        )


async def remove(extractor: Extractor, names: Iterable[str], ctx: Context) -> None:
    """Remove Services of versions that nobody asks any more."""
    for name in names:
        there = await _find(_path(extractor, name), ctx)
        if there and _is_ours(extractor, there):
            await ctx.client.delete(_path(extractor, name), there["metadata"]["uid"])


def _is_granted(egress: Egress, extractor: Extractor, ctx: Context) -> bool:
    network = _network(egress.cidr)
    allowed = ctx.settings.policy(extractor.metadata.namespace).egress
    return network is not None and any(_contains(each, network) for each in allowed)


def _network(cidr: str) -> Network | None:
    try:
        return ipaddress.ip_network(cidr)
    except ValueError:
        return None


def _contains(known: Network, network: Network) -> bool:
    if isinstance(known, ipaddress.IPv4Network):
        return isinstance(network, ipaddress.IPv4Network) and network.subnet_of(known)
    return isinstance(network, ipaddress.IPv6Network) and network.subnet_of(known)


async def _apply(extractor: Extractor, service: Json, ctx: Context) -> None:
    name = service["metadata"]["name"]
    there = await _find(_path(extractor, name), ctx)
    if there and not _is_ours(extractor, there):
        raise Stalled(
            Reason.SERVICE_NAME_TAKEN,
            f"the Service {name} belongs to somebody else: delete it, or give the extractor another name",
        )
    await ctx.client.apply(_path(extractor, name), service)


async def _find(path: str, ctx: Context) -> Json | None:
    try:
        return await ctx.client.get(path)
    except Gone:
        return None


def _path(extractor: Extractor, name: str) -> str:
    return kube.path("v1", "services", extractor.metadata.namespace, name)


def _is_ours(extractor: Extractor, service: Json) -> bool:
    owners = service["metadata"].get("ownerReferences", ())
    return any(each["uid"] == extractor.metadata.uid for each in owners)
