import asyncio
import hashlib
import ssl
from pathlib import Path

import httpx2
import pytest

from extractor_artifacts import connections
from support.certificates import server_and_client
from support.scripted_http import Answer, serve

pytestmark = pytest.mark.integration

BODY = bytes(range(256)) * 64 * 1024
HASTY = httpx2.Timeout(1.0)


async def pieces(url: str, certificates: ssl.SSLContext) -> list[bytes]:
    transport = connections.transport(certificates)
    async with (
        httpx2.AsyncClient(transport=transport, timeout=HASTY) as client,
        client.stream("GET", url) as r,
    ):
        return [piece async for piece in r.aiter_raw()]


@pytest.mark.parametrize("is_secret", [False, True], ids=["in the clear", "over TLS"])
def test_large_body_comes_whole_and_in_large_pieces(tmp_path: Path, is_secret: bool) -> None:
    server_side, client_side = server_and_client(tmp_path)
    with serve(Answer(BODY), tls=server_side if is_secret else None) as server:
        got = asyncio.run(pieces(server.url, client_side))

    assert hashlib.sha256(b"".join(got)).digest() == hashlib.sha256(BODY).digest()
    # What came at once is one piece, so that how many there are depends on the machine: with the client's
    # own connections there are at least 256.
    assert len(got) < 200


def test_server_with_a_certificate_of_nobody_is_not_believed(tmp_path: Path) -> None:
    server_side, _ = server_and_client(tmp_path)
    with (
        serve(Answer(BODY), tls=server_side) as server,
        pytest.raises(httpx2.ConnectError, match="certificate verify failed"),
    ):
        asyncio.run(pieces(server.url, ssl.create_default_context()))

    assert server.requests == []


@pytest.mark.parametrize(
    ("answer", "want"),
    [
        pytest.param(Answer(BODY, drip=9), httpx2.ReadTimeout, id="it falls silent"),
        pytest.param(Answer(BODY, cut=10), httpx2.RemoteProtocolError, id="it hangs up"),
    ],
)
def test_broken_answer_is_an_error_of_the_clients(answer: Answer, want: type[Exception]) -> None:
    with serve(answer) as server, pytest.raises(want):
        asyncio.run(pieces(server.url, ssl.create_default_context()))


def test_nobody_at_home_is_an_error_of_the_clients() -> None:
    with pytest.raises(httpx2.ConnectError):
        asyncio.run(pieces("http://127.0.0.1:1", ssl.create_default_context()))
