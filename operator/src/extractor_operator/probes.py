"""What is asked over HTTP: `/livez` by the kubelet, `/metrics` by Prometheus.

It is answered on the same event loop that everything else runs on, so that one which hangs says nothing.
"""

import contextlib
from collections.abc import AsyncIterator, Callable

import prometheus_client
from aiohttp import web

from extractor_operator.metrics import Metrics


@contextlib.asynccontextmanager
async def serve(port: int, problem: Callable[[], str | None], metrics: Metrics) -> AsyncIterator[int]:
    """Answer until the block ends; gives the port, which the system chooses for 0."""

    async def live(_: web.Request) -> web.Response:
        said = problem()
        return web.Response(status=500 if said else 200, text=f"{said or 'ok'}\n")

    async def numbers(_: web.Request) -> web.Response:
        body = prometheus_client.generate_latest(metrics.registry)
        return web.Response(body=body, headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/livez", live), web.get("/metrics", numbers)])
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=1.0, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, port=port)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
