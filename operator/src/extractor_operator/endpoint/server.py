"""The artifact endpoint: `GET` and `PUT /v1/{namespace}/{uid}/{name}`, on the operator's own event loop.

Pods are not trusted: connections, requests, seconds and bytes are bounded, and nobody learns more than a
sentence. Nothing of a request is logged but its method and path: the rest may be a capability.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from aiohttp import web

from extractor_apis.errors import ExtractorError
from extractor_artifacts import ArtifactError
from extractor_operator.endpoint import answer
from extractor_operator.endpoint.answer import RETRY_SECONDS, Refused
from extractor_operator.endpoint.exchange import Exchange

_IDLE_SECONDS = 15.0
"""How long a connection may ask nothing, or not finish asking."""
_CONNECTIONS = 512

_logger = logging.getLogger(__name__)


class TLSUnusable(ExtractorError):
    """A certificate and key that cannot be used."""


@contextlib.asynccontextmanager
async def serve(
    exchange: Exchange,
    port: int,
    *,
    host: str | None = None,
    tls: ssl.SSLContext | None = None,
    seconds: float = 900.0,
) -> AsyncIterator[int]:
    """Answer until the block ends; gives the port, which the system chooses for 0.

    ``seconds`` is how long one request may take.
    """
    app = web.Application(middlewares=[_bounded(seconds)])
    path = "/v1/{namespace}/{uid}/{name}"
    app.add_routes([web.get(path, exchange.get), web.put(path, exchange.put)])
    runner = web.AppRunner(
        app, handle_signals=False, shutdown_timeout=1.0, access_log=None, keepalive_timeout=_IDLE_SECONDS
    )
    await runner.setup()
    try:
        loop = asyncio.get_running_loop()
        async with await loop.create_server(lambda: _protocol(runner), host, port, ssl=tls) as server:
            yield server.sockets[0].getsockname()[1]
    finally:
        await runner.cleanup()


def tls(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """Read the certificate to answer with. Raises TLSUnusable."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as err:
        named = f"{certificate} and {key}" if key else str(certificate)
        said = f"cannot answer with {named}: {err.strerror or err}; name a PEM chain and its key"
        raise TLSUnusable(said) from err
    return context


def _bounded(seconds: float) -> Callable[..., Awaitable[web.StreamResponse]]:
    @web.middleware
    async def bounded(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            async with asyncio.timeout(seconds):
                return await handler(request)
        except Refused as err:
            return answer.problem(err)
        except TimeoutError:
            # Half an answer may be out; only a connection that ends says that it was no more.
            if request.transport:
                request.transport.abort()
            return answer.problem(Refused(408, "too-slow", f"it took more than {seconds:g} s"))
        except (ArtifactError, OSError) as err:
            if isinstance(err, ConnectionError):
                raise
            # A disk that is full, or what ended or was swept meanwhile.
            _logger.warning("%s %s failed: %s", request.method, request.path, err)
            detail = "the operator cannot do it now; try again"
            return answer.problem(Refused(503, "not-now", detail, after=RETRY_SECONDS))

    return bounded


def _protocol(runner: web.AppRunner) -> asyncio.BaseProtocol:
    server = runner.server
    assert server is not None
    return server() if len(server.connections) < _CONNECTIONS else _Full()


class _Full(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
