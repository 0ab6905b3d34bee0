"""The HTTP client under every provider's library: what is sent as a key, and how much is read."""

import functools
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2

MAX_BYTES = 32 * 1024 * 1024
_KEY_HEADERS = ("authorization", "x-api-key", "x-goog-api-key")
_CONNECT_SECONDS = 10.0


class AnswerTooLargeError(Exception):
    """An endpoint sends more than any answer has."""


def make_client(*, sends_key: bool, seconds: float) -> httpx2.AsyncClient:
    """Make the client that a provider's library is given.

    Libraries pick up credentials from the environment and follow redirects with the key in a header that is
    not taken off: neither happens here.
    """
    hooks: dict[str, list[Callable[..., Awaitable[None]]]] = {"response": [_limit]}
    if not sends_key:
        hooks["request"] = [_drop_keys]
    return httpx2.AsyncClient(
        # A small compressed answer can be a large one.
        headers={"Accept-Encoding": "identity"},
        timeout=httpx2.Timeout(seconds, connect=_CONNECT_SECONDS),
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20),
        verify=_trusted(),
        follow_redirects=False,
        event_hooks=hooks,
    )


@functools.cache
def _trusted() -> ssl.SSLContext:
    # Reading the certificates takes longer than anything else here.
    return httpx2.create_ssl_context()


async def _drop_keys(request: httpx2.Request) -> None:
    for header in _KEY_HEADERS:
        request.headers.pop(header, None)


async def _limit(response: httpx2.Response) -> None:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise AnswerTooLargeError("the endpoint compresses its answer, which it was asked not to")
    stream = response.stream
    if isinstance(stream, httpx2.AsyncByteStream):
        response.stream = _Limited(stream)


class _Limited(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > MAX_BYTES:
                raise AnswerTooLargeError(f"the endpoint's answer is larger than {MAX_BYTES} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
