"""The same model behind Starlette on a bare uvicorn, called on its event loop: nothing could be left out."""

import socket
import sys
import threading

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.realtime.archive.realtime import BenchInferenceService

service = BenchInferenceService()


async def answer(request: Request) -> Response:
    body = orjson.loads(await request.body())
    result = service.run_inference(body["inputs"], body.get("parameters") or {})
    return Response(orjson.dumps(result), media_type="application/json")


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/", answer, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, loop="uvloop", http="httptools", log_level="warning"))

    def stop_at_end_of_input() -> None:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=stop_at_end_of_input, daemon=True).start()
    server.run(sockets=[listener])
