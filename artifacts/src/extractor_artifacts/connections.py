"""Connections that bring large bodies in large pieces.

The HTTP client reads 64 KiB at a time, and over TLS 16: of an archive of hundreds of megabytes most of the
time goes into its steps. Here the event loop reads into one buffer, and each step takes whatever has come.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore2
import httpx2

_BUFFER_BYTES = 1024 * 1024
_EYEBALLS_SECONDS = 0.25


def transport(certificates: ssl.SSLContext) -> httpx2.AsyncHTTPTransport:
    """Make a transport of such connections, to be used on one event loop."""
    made = httpx2.AsyncHTTPTransport(verify=certificates)
    # The client takes no backend; were the name to change, a test that counts pieces would fail.
    made._pool = httpcore2.AsyncConnectionPool(certificates, network_backend=_Backend())
    return made


class _Backend(httpcore2.AsyncNetworkBackend):
    """Opens connections as asyncio does, so that the loop is asked about every address."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address that answers."""
        loop = asyncio.get_running_loop()
        with _named(httpcore2.ConnectTimeout, httpcore2.ConnectError):
            async with asyncio.timeout(timeout):
                _, connection = await loop.create_connection(
                    _Connection, host, port, happy_eyeballs_delay=_EYEBALLS_SECONDS
                )
        return connection

    async def sleep(self, seconds: float) -> None:
        """Pause."""
        await asyncio.sleep(seconds)


class _Connection(asyncio.BufferedProtocol, httpcore2.AsyncNetworkStream):
    """One connection: what asyncio tells of it, as what the client asks of it."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(_BUFFER_BYTES))
        self._size = 0
        """How much of the buffer is filled; nothing more is read while it is full."""
        self._has_ended = False
        self._error: Exception | None = None
        self._changed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, _: int) -> memoryview:
        return self._buffer[self._size :]

    def buffer_updated(self, count: int) -> None:
        self._size += count
        if self._size == len(self._buffer):
            self._transport.pause_reading()
        self._changed.set()

    def eof_received(self) -> None:
        self._has_ended = True
        self._changed.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._has_ended, self._error = True, error
        self._changed.set()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Give all that has come, which may be more than is asked for; nothing at the end."""
        with _named(httpcore2.ReadTimeout, httpcore2.ReadError):
            async with asyncio.timeout(timeout):
                while not (self._size or self._has_ended):
                    self._changed.clear()
                    await self._changed.wait()
            if self._error and not self._size:
                raise self._error
        content = bytes(self._buffer[: self._size])
        if self._size == len(self._buffer):
            self._transport.resume_reading()
        self._size = 0
        return content

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send what is a request without a body: asyncio keeps what the socket does not take."""
        if self._has_ended:
            raise httpcore2.WriteError(str(self._error or "the server has closed the connection"))
        self._transport.write(buffer)

    async def aclose(self) -> None:
        """Close, without a word to the other side."""
        self._transport.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        """Speak TLS from here on."""
        loop = asyncio.get_running_loop()
        with _named(httpcore2.ConnectTimeout, httpcore2.ConnectError):
            async with asyncio.timeout(timeout):
                upgraded = await loop.start_tls(
                    self._transport, self, ssl_context, server_hostname=server_hostname
                )
        assert upgraded is not None
        self._transport = upgraded
        return self

    def get_extra_info(self, info: str) -> Any:
        """Tell what asyncio knows, or whether an idle connection has something to say: that it ends."""
        if info == "is_readable":
            return self._has_ended or self._size > 0
        return self._transport.get_extra_info(info)


@contextlib.contextmanager
def _named(
    timeout: type[httpcore2.TimeoutException], failure: type[httpcore2.NetworkError]
) -> Iterator[None]:
    """Call failures what the client calls them."""
    try:
        yield
    except TimeoutError as err:
        raise timeout() from err
    except (OSError, UnicodeError) as err:
        # The second is of names that no name server can be asked for.
        raise failure(str(err)) from err
