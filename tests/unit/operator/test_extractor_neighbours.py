"""What an extractor has beside its RayServices, and whose it may not be."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from extractor_apis.conditions import Reason
from extractor_apis.extractor import ServedVersion
from extractor_apis.settings import Policy, Settings
from extractor_operator import nodes
from extractor_operator.context import Context
from extractor_operator.errors import Stalled
from extractor_operator.extractors import neighbours
from extractor_operator.kuberay import rayservice
from support import workloads
from support.api_server import FakeClient
from support.workloads import CLUSTER, NAMESPACE, make_code, make_extractor

SERVICE = f"/api/v1/namespaces/{NAMESPACE}/services/text-embed-serve"
SERVED = (
    ServedVersion(version="1.0.0", service="text-embed-serve", active=True, workload="w", cluster="one"),
)


def context(server: FakeClient, egress: tuple[str, ...] = ()) -> Context:
    policy = Policy.model_validate({"egress": egress})
    made: Any = {field: None for field in Context.__dataclass_fields__}
    settings = Settings(cluster=CLUSTER, defaults=policy, store=Path("/nowhere"))
    return Context(**{**made, "client": cast("Any", server), "settings": settings})


def test_what_was_applied_is_not_applied_again_until_it_is_another() -> None:
    server, extractor = FakeClient(), make_extractor()
    applied = asyncio.run(neighbours.ensure(extractor, SERVED, context(server), is_first=False))
    known = extractor.model_copy(update={"status": extractor.status.model_copy(update={"applied": applied})})
    server.writes.clear()

    again = asyncio.run(neighbours.ensure(known, SERVED, context(server), is_first=False))
    assert (again, server.writes) == (applied, [])

    moved = tuple(each.model_copy(update={"cluster": "two"}) for each in SERVED)
    asyncio.run(neighbours.ensure(known, moved, context(server), is_first=False))
    assert server.objects[SERVICE]["spec"]["selector"]["ray.io/cluster"] == "two"


def test_what_was_deleted_by_hand_is_made_again_by_the_next_process() -> None:
    server, extractor = FakeClient(), make_extractor()
    applied = asyncio.run(neighbours.ensure(extractor, SERVED, context(server), is_first=True))
    known = extractor.model_copy(update={"status": extractor.status.model_copy(update={"applied": applied})})
    server.writes.clear()

    asyncio.run(neighbours.ensure(known, SERVED, context(server), is_first=True))
    assert server.writes == []

    del server.objects[SERVICE]
    asyncio.run(neighbours.ensure(known, SERVED, context(server), is_first=True))
    assert SERVICE in server.objects


def test_a_service_of_somebody_else_is_neither_taken_nor_removed() -> None:
    server, extractor = FakeClient(), make_extractor()
    theirs = server.put(SERVICE, {"metadata": {"name": "text-embed-serve", "uid": "theirs"}, "spec": {}})

    with pytest.raises(Stalled, match="the Service text-embed-serve belongs to somebody else") as stop:
        asyncio.run(neighbours.ensure(extractor, SERVED, context(server), is_first=False))
    asyncio.run(neighbours.remove(extractor, ["text-embed-serve"], context(server)))

    assert (stop.value.reason, server.objects[SERVICE]) == (Reason.SERVICE_NAME_TAKEN, theirs)


@pytest.mark.parametrize(
    ("cidr", "allowed", "is_allowed"),
    [
        pytest.param("203.0.113.0/24", ("203.0.113.0/24",), True, id="what is allowed"),
        pytest.param("203.0.113.128/25", ("203.0.113.0/24",), True, id="a part of it"),
        pytest.param("2001:db8::/64", ("10.0.0.0/8", "2001:db8::/32"), True, id="of the other family"),
        pytest.param("203.0.112.0/23", ("203.0.113.0/24",), False, id="more than that"),
        pytest.param("169.254.169.254/32", (), False, id="anything where nothing is"),
        pytest.param("999.0.0.0/8", ("0.0.0.0/0",), False, id="what is no network"),
    ],
)
def test_a_way_out_is_opened_if_the_settings_allow_it_and_refused_in_words_otherwise(
    cidr: str, allowed: tuple[str, ...], is_allowed: bool
) -> None:
    server, extractor = FakeClient(), make_extractor(egress=[{"cidr": cidr}])
    ctx = context(server, allowed)

    asyncio.run(neighbours.ensure(extractor, (), ctx, is_first=False))
    [policy] = server.objects.values()
    assert (cidr in str(policy["spec"]["egress"])) is is_allowed

    if is_allowed:
        neighbours.require_egress(extractor, ctx)
        return
    with pytest.raises(Stalled, match=f"names {cidr}, and the networks") as stop:
        neighbours.require_egress(extractor, ctx)
    assert stop.value.reason is Reason.EGRESS_REFUSED


@pytest.mark.parametrize(
    ("memory", "want"), [("64Gi", "NodeFits"), ("2Gi", "NoNodeFits")], ids=["a large node", "a small one"]
)
def test_nodes_that_are_too_small_are_told(memory: str, want: str) -> None:
    server, extractor = FakeClient(), make_extractor()
    server.put(
        "/api/v1/nodes/one", {"metadata": {}, "status": {"allocatable": {"cpu": "8", "memory": memory}}}
    )
    assert extractor.spec.realtime is not None
    rendered = rayservice.render_rayservice(
        extractor, extractor.spec.realtime, make_code(), workloads.CLUSTER, python="3.11"
    )

    stage = asyncio.run(nodes.stage(rendered["spec"]["rayClusterConfig"], context(server)))

    assert stage is not None and stage.reason == want


def test_nodes_that_may_not_be_read_are_no_matter() -> None:
    server = FakeClient()
    server.is_down = True

    assert asyncio.run(nodes.stage({}, context(server))) is None
