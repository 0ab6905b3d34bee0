"""What a run writes for its first RayJob, and what ends it before it has one."""

import asyncio
import datetime
from typing import Any

import pytest

from extractor_operator.errors import Stalled
from extractor_operator.runs.attempt import RunAttempt
from extractor_operator.runs.turns import Turns
from support import ready, workloads
from support.api_server import FakeClient

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def attempt(server: FakeClient, **collection: Any) -> RunAttempt:
    """Begin a reconcile of a run whose version is Ready."""
    return RunAttempt(workloads.make_run(), ready.context(server, **collection), lambda: NOW, Turns())


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
