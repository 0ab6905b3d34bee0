"""A namespace in which a collection may be run: its version is Ready, and all of it is in the store."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

from extractor_apis.resource import Resource
from extractor_apis.settings import Settings
from extractor_operator.context import Context
from extractor_operator.store import Store
from support import inboxes, workloads
from support.accepting import Artifacts
from support.api_server import FakeClient

READY = {
    "type": "Ready",
    "status": "True",
    "observedGeneration": 1,
    "lastTransitionTime": "2026-01-01T00:00:00Z",
    "reason": "Succeeded",
    "message": "",
}


def context(server: FakeClient, **collection: Any) -> Context:
    """Give what a run is reconciled with; ``collection`` has what differs in the Collection's spec."""
    store = Store()
    artifact = {"digest": workloads.DIGEST, "size": 1234}
    see(store, workloads.make_code().version, {"artifact": artifact, "conditions": [READY]})
    see(store, workloads.make_extractor(realtime=None), {"activeVersion": "1.0.0", "applied": "hash"})
    see(store, workloads.make_collection(**collection))
    known = SimpleNamespace(
        client=server,
        store=store,
        inbox=inboxes.still(store),
        artifacts=Artifacts(),
        settings=Settings(cluster=workloads.CLUSTER),
        cluster=workloads.CLUSTER,
        in_thread=_at_once,
    )
    return cast("Context", known)


def see(store: Store, resource: Resource, status: Mapping[str, Any] | None = None) -> None:
    """Have the watch bring an object."""
    body = resource.model_dump(mode="json", exclude_none=True)
    known = {"apiVersion": f"{resource.GROUP}/{resource.VERSION}", "kind": type(resource).__name__}
    metadata = {**body["metadata"], "resourceVersion": "1"}
    store.put({**body, **known, "metadata": metadata, "status": dict(status or {})})


async def _at_once(call: Any, *args: Any) -> Any:
    return call(*args)
