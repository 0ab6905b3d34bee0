"""The HTTP face: what comes in, what goes out, and how each failure is told."""

import asyncio
from typing import Any

import orjson
import pytest

from extractor_runtime import errors
from extractor_runtime.realtime import asgi

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Service:
    """Stands in for `RealtimeService`: echoes, or does what the text says."""

    async def answer(self, inputs: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
        match inputs.get("do"):
            case "raise":
                raise errors.AuthorError("run_inference raised KeyError: 'x'", "realtime.py:7")
            case "hang":
                await asyncio.Event().wait()
            case "return an object":
                return {"answer": object()}
        return {"inputs": inputs, "parameters": parameters}


async def ask(
    *chunks: bytes, method: str = "POST", path: str = "/route", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], Any]:
    """Send one request, in pieces, and read status, headers and document of the answer."""
    app = asgi.AnswerApp(Service(), {"extractor": "tiny"}, seconds=0.05)  # type: ignore[arg-type]
    sent: list[asgi.Message] = []
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": index + 1 < len(chunks)}
        for index, chunk in enumerate(chunks)
    ]

    async def receive() -> asgi.Message:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: asgi.Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": "/route",
        "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
    }
    await app(scope, receive, send)
    if not sent:
        return 0, {}, None
    start, body = sent
    return start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, orjson.loads(body["body"])


async def test_inputs_and_parameters_reach_the_service() -> None:
    status, headers, document = await ask(b'{"inputs": {"text": "a"}, "parameters": {"n": 1}}')

    assert (status, headers["content-type"]) == (200, "application/json")
    assert document == {"inputs": {"text": "a"}, "parameters": {"n": 1}}


async def test_body_may_come_in_pieces_without_parameters() -> None:
    _, _, document = await ask(b'{"inputs":', b' {"text": "a"}, "parameters": null}')

    assert document == {"inputs": {"text": "a"}, "parameters": {}}


async def test_get_tells_what_is_served() -> None:
    assert (await ask(method="GET"))[::2] == (200, {"extractor": "tiny"})


PROBLEMS: dict[str, tuple[bytes, int, str, str]] = {
    "no JSON": (b"{", 400, "invalid_json", "the body is no JSON"),
    "nothing": (b"", 400, "invalid_json", "the body is no JSON"),
    "a list": (b"[]", 400, "invalid_body", "the body must be an object"),
    "no inputs": (b"{}", 400, "invalid_body", "the body must be an object"),
    "inputs that are text": (b'{"inputs": "a"}', 400, "invalid_body", "the body must be an object"),
    "parameters that are a list": (
        b'{"inputs": {}, "parameters": [1]}',
        400,
        "invalid_body",
        '"parameters" must be an object',
    ),
    "a misspelt field": (b'{"inputs": {}, "parameter": {}}', 400, "invalid_body", "parameter: no such field"),
    "code that raises": (
        b'{"inputs": {"do": "raise"}}',
        500,
        "author_error",
        "run_inference raised KeyError",
    ),
    "an answer that is no JSON": (
        b'{"inputs": {"do": "return an object"}}',
        500,
        "author_error",
        "the answer cannot be written as JSON",
    ),
    "code that hangs": (
        b'{"inputs": {"do": "hang"}}',
        504,
        "deadline_exceeded",
        "there was no answer within 0.05 s",
    ),
}


@pytest.mark.parametrize(("body", "status", "code", "detail"), PROBLEMS.values(), ids=PROBLEMS)
async def test_failure_is_a_problem(body: bytes, status: int, code: str, detail: str) -> None:
    answered, headers, document = await ask(body)

    assert (answered, headers["content-type"]) == (status, "application/problem+json")
    assert (document["status"], document["code"]) == (status, code)
    assert document["detail"].startswith(detail)


async def test_author_error_names_the_line() -> None:
    _, _, document = await ask(b'{"inputs": {"do": "raise"}}')

    assert document["location"] == "realtime.py:7"


async def test_other_paths_are_not_found() -> None:
    assert (await ask(b"{}", path="/route/more"))[0] == 404


async def test_other_methods_are_refused() -> None:
    assert (await ask(b"{}", method="PUT"))[0] == 405


async def test_body_that_announces_too_much_is_not_read() -> None:
    status, _, document = await ask(b"{}", headers={"content-length": str(asgi.MAX_BODY + 1)})

    assert (status, document["code"]) == (413, "body_too_large")


async def test_body_that_grows_too_large_is_refused() -> None:
    half = b" " * (asgi.MAX_BODY // 2 + 1)

    assert (await ask(half, half, b"{}"))[0] == 413


async def test_client_that_leaves_is_not_answered() -> None:
    assert await ask() == (0, {}, None)


async def test_surplus_is_turned_away() -> None:
    app = asgi.AnswerApp(Service(), {}, seconds=0.05)  # type: ignore[arg-type]
    statuses: list[int] = []

    async def receive() -> asgi.Message:
        return {"type": "http.request", "body": b'{"inputs": {"do": "hang"}}'}

    async def send(message: asgi.Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {"type": "http", "method": "POST", "path": "", "headers": []}
    await asyncio.gather(*(app(scope, receive, send) for _ in range(asgi.MAX_ONGOING + 1)))

    assert statuses == [429, *[504] * asgi.MAX_ONGOING]
