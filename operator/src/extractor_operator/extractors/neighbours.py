"""What an extractor has in the cluster that nobody tells us of: stable Services, and a NetworkPolicy.

They are applied whenever they would be others than the last time, which the status remembers.
"""

import ipaddress
from collections.abc import Iterable

from extractor_apis.conditions import Reason
from extractor_apis.extractor import Extractor, ServedVersion
from extractor_operator import kube
from extractor_operator.context import Context
from extractor_operator.errors import Gone, Stalled
from extractor_operator.kube import Json
from extractor_operator.kuberay import network_policy, rayservice, stable_service
from extractor_operator.permissions import permission

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PERMISSIONS = (
    permission("", "services", "get", "create", "patch", "delete"),
    permission("networking.k8s.io", "networkpolicies", "create", "patch"),
)


async def ensure(extractor: Extractor, served: tuple[ServedVersion, ...], ctx: Context) -> str:
    """Have them there, the active version's Service last; give their hash, which the status keeps.

    Raises Stalled if a Service of that name belongs to somebody else, or for a way out that is not allowed.
    """
    _check_egress(extractor, ctx)
    policy = network_policy.render_policy(extractor, ctx.cluster)
    # Who still asks for the version before finds its own Service, before the extractor's leads elsewhere.
    services = [
        stable_service.render_service(extractor, each.service, each.cluster)
        for each in sorted(served, key=lambda each: each.active)
    ]
    digest = rayservice.workload_hash({"objects": [policy, *services]})
    if digest != extractor.status.applied:
        namespace = extractor.metadata.namespace
        policies = kube.path("networking.k8s.io/v1", "networkpolicies", namespace)
        await ctx.client.apply(f"{policies}/{policy['metadata']['name']}", policy)
        for service in services:
            await _apply(extractor, service, ctx)
    return digest


async def remove(extractor: Extractor, names: Iterable[str], ctx: Context) -> None:
    """Remove Services of versions that nobody asks any more."""
    for name in names:
        there = await _find(extractor, name, ctx)
        if there and _is_ours(extractor, there):
            await ctx.client.delete(_path(extractor, name), there["metadata"]["uid"])


def _check_egress(extractor: Extractor, ctx: Context) -> None:
    allowed = ctx.settings.policy(extractor.metadata.namespace).egress
    for each in extractor.spec.egress:
        network = _network(each.cidr)
        if network is None or not any(_contains(known, network) for known in allowed):
            named = ", ".join(map(str, allowed)) or "none"
            raise Stalled(
                Reason.EGRESS_REFUSED,
                f"spec.egress names {each.cidr}, and this namespace may name addresses of: {named}",
            )


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
    there = await _find(extractor, name, ctx)
    if there and not _is_ours(extractor, there):
        raise Stalled(
            Reason.SERVICE_NAME_TAKEN,
            f"the Service {name} belongs to somebody else: delete it, or give the extractor another name",
        )
    await ctx.client.apply(_path(extractor, name), service)


async def _find(extractor: Extractor, name: str, ctx: Context) -> Json | None:
    try:
        return await ctx.client.get(_path(extractor, name))
    except Gone:
        return None


def _path(extractor: Extractor, name: str) -> str:
    return kube.path("v1", "services", extractor.metadata.namespace, name)


def _is_ours(extractor: Extractor, service: Json) -> bool:
    owners = service["metadata"].get("ownerReferences", ())
    return any(each["uid"] == extractor.metadata.uid for each in owners)
