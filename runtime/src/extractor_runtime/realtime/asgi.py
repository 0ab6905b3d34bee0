"""The HTTP face of one version: inputs and parameters in, the author's answer out, both JSON.

A plain ASGI application, since a framework costs more per request than everything else here. Whatever goes
wrong is a problem document (RFC 9457) with a stable ``code``.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from extractor_runtime import errors
from extractor_runtime.realtime.realtime_service import JsonObject, RealtimeService, Request

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_BODY = 32 << 20
MAX_ONGOING = 256
"""Requests that are read, waiting or computed at once; more are turned away."""
_TITLES = {
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    504: "Gateway Timeout",
}


class Problem(Exception):
    """What the client is told when there is no answer."""

    def __init__(self, status: int, code: str, detail: str, location: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.location = location

    def document(self) -> bytes:
        """Write the problem as JSON."""
        document = {
            "type": "about:blank",
            "title": _TITLES[self.status],
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        return orjson.dumps(document | ({"location": self.location} if self.location else {}))


class AnswerApp:
    """Answers POST with the service's answer, and GET with ``about``, which says that it is ready.

    Both at its root and at ``route``; every answer names the version in a header.
    """

    def __init__(
        self,
        service: RealtimeService,
        about: JsonObject,
        *,
        seconds: float,
        max_ongoing: int = MAX_ONGOING,
        route: str = "",
    ) -> None:
        self._service = service
        self._about = orjson.dumps(about)
        self._version = str(about.get("version", "")).encode()
        self._seconds = seconds
        self._max_ongoing = max_ongoing
        self._paths = frozenset({"", "/", route, f"{route}/"})
        self._ongoing = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1003})
            return
        self._ongoing += 1
        try:
            status, content_type, body = 200, b"application/json", await self._respond(scope, receive)
        except Problem as problem:
            status, content_type, body = problem.status, b"application/problem+json", problem.document()
        except ConnectionError:
            return
        finally:
            self._ongoing -= 1
        headers = [
            (b"content-type", content_type),
            (b"content-length", str(len(body)).encode()),
            (b"x-extractor-version", self._version),
        ]
        if status == 429:
            headers.append((b"retry-after", b"1"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _respond(self, scope: Message, receive: Receive) -> bytes:
        if scope["path"].removeprefix(scope.get("root_path", "")) not in self._paths:
            raise Problem(404, "not_found", f"{scope['path']} is no path of this endpoint: POST to its root")
        if scope["method"] == "GET":
            return self._about
        if scope["method"] != "POST":
            raise Problem(405, "method_not_allowed", f"{scope['method']} is not served: POST inputs")
        if self._ongoing > self._max_ongoing:
            raise Problem(
                429, "overloaded", f"{self._max_ongoing} requests are being answered already: try again later"
            )
        try:
            async with asyncio.timeout(self._seconds):
                inputs, parameters = _parse(await _read(scope, receive))
                answer = await self._service.answer(inputs, parameters)
        except TimeoutError:
            raise Problem(
                504, "deadline_exceeded", f"there was no answer within {self._seconds:g} s"
            ) from None
        except errors.AuthorError as error:
            raise Problem(500, "author_error", error.message, error.location) from None
        return _dump(answer)


async def _live(receive: Receive, send: Send) -> None:
    for event in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{event}.complete"})


async def _read(scope: Message, receive: Receive) -> bytes:
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    too_large = Problem(413, "body_too_large", f"the body is larger than {MAX_BODY >> 20} MiB")
    if int(declared) > MAX_BODY:
        raise too_large
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the client is gone")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MAX_BODY:
            raise too_large
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _parse(body: bytes) -> Request:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, "invalid_json", f"the body is no JSON: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("inputs"), dict):
        raise Problem(400, "invalid_body", 'the body must be an object {"inputs": {…}, "parameters": {…}}')
    parameters = document.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise Problem(400, "invalid_body", '"parameters" must be an object')
    if unknown := sorted(document.keys() - {"inputs", "parameters"}):
        raise Problem(
            400, "invalid_body", f'{", ".join(unknown)}: no such field; there are "inputs" and "parameters"'
        )
    return document["inputs"], parameters


def _dump(answer: JsonObject) -> bytes:
    try:
        return orjson.dumps(answer)
    except TypeError as error:
        raise Problem(500, "author_error", f"the answer cannot be written as JSON: {error}") from None
