"""The Secret by which pods fetch a version: right, and written only where it is not."""

import base64
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from extractor_operator.context import Context
from extractor_operator.endpoint.capability import Capabilities, Verb
from extractor_operator.versions import delivery
from support import exchanges, virtual_time
from support.api_server import FakeClient

CAPABILITIES = Capabilities(b"k" * 32)
PATH = "/api/v1/namespaces/team/secrets/text-1.0.0-artifact"


def ensure(server: FakeClient, capabilities: Capabilities = CAPABILITIES) -> None:
    ctx = cast("Context", SimpleNamespace(client=server, capabilities=capabilities))
    virtual_time.run(delivery.ensure(exchanges.version("uid-1"), ctx))


def test_the_secret_allows_to_read_this_version(tmp_path: Path) -> None:
    server = FakeClient()

    ensure(server)

    secret = server.objects[PATH]
    token = base64.b64decode(secret["data"]["token"]).decode()
    assert CAPABILITIES.errand(token, "team", "uid-1", Verb.READ) == ""
    assert secret["metadata"]["ownerReferences"][0]["uid"] == "uid-1"


def test_a_secret_that_is_right_is_left_alone() -> None:
    server = FakeClient()
    ensure(server)

    ensure(server)

    assert len(server.writes) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"data": {"token": "eA=="}}, id="with another token"),
        pytest.param({"data": None}, id="without a token"),
        pytest.param({"metadata": {"uid": "x", "generation": 1, "ownerReferences": []}}, id="of nobody"),
    ],
)
def test_a_secret_that_somebody_changed_is_put_right(wrong: dict[str, Any]) -> None:
    server = FakeClient()
    ensure(server)
    right = server.objects[PATH]
    server.put(PATH, {**right, **wrong})

    ensure(server)

    assert server.objects[PATH]["data"] == right["data"]
    assert server.objects[PATH]["metadata"]["ownerReferences"] == right["metadata"]["ownerReferences"]


def test_another_key_makes_another_secret() -> None:
    server = FakeClient()
    ensure(server)

    ensure(server, Capabilities(b"j" * 32))

    assert len(server.writes) == 2
