"""What others run for us is made once, whatever the API server answers."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from extractor_apis.errors import ExtractorError
from extractor_operator import children, kube
from extractor_operator.context import Context
from extractor_operator.errors import Exists, Retrying, Waiting
from extractor_operator.relations import Key
from extractor_operator.store import Store
from extractor_operator.watched import RAY_JOBS
from support import inboxes
from support.api_server import FakeClient

PATH = kube.path("ray.io/v1", "rayjobs", "team")


def job(owner: str) -> dict[str, Any]:
    references = [
        {
            "apiVersion": "extractors.mixpeek.com/v1alpha1",
            "kind": "ExtractorRun",
            "name": "run",
            "uid": owner,
            "controller": True,
        }
    ]
    metadata = {"name": "job", "namespace": "team", "ownerReferences": references}
    return {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": metadata}


class Contended(FakeClient):
    """Has a conflict that is not over the name."""

    async def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        raise Exists(f"the API server refused to post {path}: 409 a quota has changed meanwhile")


def create(server: FakeClient, store: Store) -> None:
    ctx = SimpleNamespace(client=server, inbox=inboxes.still(store))
    asyncio.run(children.create(RAY_JOBS, "team", job("one"), cast("Context", ctx)))


def test_what_is_made_is_known_at_once() -> None:
    store = Store()

    create(FakeClient(), store)

    assert list(store.children(Key("ExtractorRun", "team", "run"), "RayJob")) == ["job"]


def test_what_is_there_already_is_taken_for_what_was_made() -> None:
    server, store = FakeClient(), Store()
    server.put(f"{PATH}/job", {**job("one"), "metadata": {**job("one")["metadata"], "uid": "first"}})

    create(server, store)

    seen = store.get(Key("RayJob", "team", "job"))
    assert seen is not None and seen.uid == "first"


@pytest.mark.parametrize(
    ("server", "want"),
    [
        pytest.param(FakeClient(), Waiting, id="an object of somebody else who had the name"),
        pytest.param(Contended(), Retrying, id="a conflict over something else"),
    ],
)
def test_a_conflict_is_looked_at_again(server: FakeClient, want: type[ExtractorError]) -> None:
    if want is Waiting:
        server.put(f"{PATH}/job", job("another"))

    with pytest.raises(want):
        create(server, Store())


def test_a_name_that_a_status_brings_leads_nowhere_else() -> None:
    path = kube.path("ray.io/v1", "rayclusters", "team", "../../secrets/root?x=#")

    assert path == "/apis/ray.io/v1/namespaces/team/rayclusters/..%2F..%2Fsecrets%2Froot%3Fx%3D%23"
