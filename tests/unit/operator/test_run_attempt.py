"""What a run writes for its first RayJob, and what ends it before it has one."""

import asyncio
import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from extractor_apis.resource import Resource
from extractor_apis.settings import Settings
from extractor_operator.context import Context
from extractor_operator.errors import Stalled
from extractor_operator.runs.attempt import RunAttempt
from extractor_operator.store import Store
from support import inboxes, workloads
from support.accepting import Artifacts
from support.api_server import FakeClient

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
READY = {
    "type": "Ready",
    "status": "True",
    "observedGeneration": 1,
    "lastTransitionTime": "2026-01-01T00:00:00Z",
    "reason": "Succeeded",
    "message": "",
}


async def in_thread(call: Any, *args: Any) -> Any:
    return call(*args)


def attempt(server: FakeClient, **collection: Any) -> RunAttempt:
    """Begin a reconcile of a run whose version is Ready."""
    store = Store()
    artifact = {"digest": workloads.DIGEST, "size": 1234}
    see(store, workloads.make_code().version, artifact=artifact, conditions=[READY])
    see(store, workloads.make_extractor(realtime=None), activeVersion="1.0.0", applied="hash")
    see(store, workloads.make_collection(**collection))
    ctx = SimpleNamespace(
        client=server,
        store=store,
        inbox=inboxes.still(store),
        artifacts=Artifacts(),
        settings=Settings(cluster=workloads.CLUSTER),
        cluster=workloads.CLUSTER,
        in_thread=in_thread,
    )
    return RunAttempt(workloads.make_run(), cast("Context", ctx), lambda: NOW)


def see(store: Store, resource: Resource, **status: Any) -> None:
    body = resource.model_dump(mode="json", exclude_none=True)
    known = {"apiVersion": f"{resource.GROUP}/{resource.VERSION}", "kind": type(resource).__name__}
    metadata = {**body["metadata"], "resourceVersion": "1"}
    store.put({**body, **known, "metadata": metadata, "status": status})


@pytest.mark.parametrize(
    ("source", "want"),
    [
        pytest.param("file:///results/team-a/articles", ["RayJob"], id="files on the shared volume"),
        pytest.param("s3://bucket/articles/", ["NetworkPolicy", "RayJob"], id="objects of a store"),
    ],
)
def test_the_way_to_its_source_is_open_before_its_pods_are(source: str, want: list[str]) -> None:
    server = FakeClient()

    asyncio.run(attempt(server, source={"url": source}).work())

    assert [body["kind"] for _, _, body in server.writes] == want


def test_a_run_that_never_can_be_ends_so_that_others_have_their_turn() -> None:
    server = FakeClient()
    mistaken = attempt(server, extractor="another")

    with pytest.raises(Stalled):
        asyncio.run(mistaken.work())

    assert mistaken.decision is not None and mistaken.decision.status.finished == "2026-01-01T00:00:00Z"
    assert server.writes == []
