"""What versions refer to, each in its namespace, stays; the rest goes."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

from extractor_apis.settings import Settings
from extractor_artifacts import ArtifactStore
from extractor_operator import sweep
from extractor_operator.context import Context
from extractor_operator.kube import Client
from extractor_operator.metrics import Metrics
from extractor_operator.store import Store
from extractor_operator.sweep import References
from extractor_operator.versions.scan import Scanner
from support import inboxes, operators
from support.api_server import FakeClient

ONE, OTHER, ARTIFACT = (f"sha256:{digit * 64}" for digit in "123")


def put(store: Store, namespace: str, name: str, status: dict[str, Any]) -> None:
    item = operators.make_version(name, "https://example.com/a.zip")
    item["metadata"] |= {"uid": namespace + name, "namespace": namespace, "resourceVersion": "1"}
    store.put({**item, "status": status})


def test_sources_and_artifacts_are_referred_to_by_the_namespace_that_has_them() -> None:
    store = Store()
    made = {"environment": {"key": "made"}}
    put(store, "team", "text", {"source": {"digest": ONE}, "artifact": {"digest": ARTIFACT}, **made})
    put(store, "team", "rejected", {"source": {"digest": OTHER, "resolved": "https://example.com/a.zip"}})
    manifest = f"oci://example.com/text:1@{OTHER}"
    put(store, "others", "text", {"source": {"digest": ONE, "resolved": manifest}, "artifact": {}})
    put(store, "new", "text", {})

    found = sweep.references(store)

    assert found.blobs == {"team": {ONE, OTHER, ARTIFACT}, "others": {ONE, OTHER}, "new": set()}
    assert found.environments == {"made"}
    assert found.versions == {"teamtext", "teamrejected", "otherstext", "newtext"}


def context(folder: Path) -> Context:
    return Context(
        client=cast("Client", FakeClient()),
        settings=Settings(store=folder),
        inbox=inboxes.still(Store()),
        artifacts=ArtifactStore(folder),
        scanner=Scanner(asyncio.Semaphore(1)),
        threads=ThreadPoolExecutor(1),
        work=folder / "work",
        metrics=Metrics(),
    )


def test_what_a_namespace_does_not_refer_to_is_removed_from_its_sources_alone(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    kept = ctx.blobs("team").add_bytes(b"kept")
    for namespace in ("team", "others"):
        ctx.blobs(namespace).add_bytes(b"dropped")
    ctx.blobs("others").add_bytes(b"kept")

    removed = sweep.sweep(References(blobs={"team": {kept}}), ctx, grace=0)

    assert (removed, ctx.tenants()) == (3, ["others", "team"])
    assert ctx.blobs("team").read(kept, max_bytes=10) == b"kept"


def test_environments_that_no_version_refers_to_are_removed(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    for key in ("kept", "dropped"):
        ctx.environments.environment(key).mkdir(parents=True)
    ctx.environments.uv.mkdir()

    assert sweep.sweep(References(environments={"kept"}), ctx, grace=0) == 1
    assert [each.name for each in ctx.environments.environment("").iterdir()] == ["kept"]
