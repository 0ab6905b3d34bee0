"""The vector of a query, made by the realtime half of the version that made the stored vectors."""

import asyncio
import time
from typing import Any

import httpx2
import orjson

from extractor_apis.manifest import Manifest, VectorFeature
from extractor_apis.services import Services
from extractor_runtime import errors
from extractor_runtime.loader import Tree
from extractor_runtime.realtime import answers, asgi, realtime_service

_ANSWER_SECONDS = 60.0


def compute(
    tree: Tree, manifest: Manifest, feature: VectorFeature, inputs: dict[str, Any], services: Services
) -> list[float]:
    """Load the realtime class here and ask it. Raises AuthorError with the author's line."""
    service = realtime_service.RealtimeService.load(tree, manifest, services)
    try:
        answer = asyncio.run(_answer(service, {"vector_index": feature.name, **inputs}))
    finally:
        service.close()
    return answers.embedding(answer, manifest, feature)


def ask(endpoint: str, manifest: Manifest, feature: VectorFeature, inputs: dict[str, Any]) -> list[float]:
    """Ask a served endpoint over HTTP. Raises RunError when it does not answer with a vector."""
    body = orjson.dumps({"inputs": {"vector_index": feature.name, **inputs}, "parameters": {}})
    if len(body) > asgi.MAX_BODY:
        raise errors.RunError(
            f"the query has {len(body):,} bytes, and an endpoint takes {asgi.MAX_BODY:,}: send a smaller file"
        )
    try:
        status, content = _post(endpoint, body)
    except httpx2.HTTPError as error:
        raise errors.RunError(
            f"{endpoint} does not answer ({errors.describe(error)}): is `extractor serve` running?"
        ) from error
    if status != 200:
        raise errors.RunError(f"{endpoint} answered {status}: {content[:500].decode(errors='replace')}")
    try:
        answer = orjson.loads(content)
    except orjson.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict):
        raise errors.RunError(f"{endpoint} answered with no object of JSON: is it an extractor's endpoint?")
    return answers.embedding(answer, manifest, feature)


def _post(endpoint: str, body: bytes) -> tuple[int, bytes]:
    """Send JSON and read the answer, as far as one may be long and take."""
    deadline = time.monotonic() + _ANSWER_SECONDS
    content = bytearray()
    headers = {"content-type": "application/json"}
    with httpx2.stream("POST", endpoint, content=body, headers=headers, timeout=_ANSWER_SECONDS) as response:
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > asgi.MAX_BODY or time.monotonic() > deadline:
                raise errors.RunError(
                    f"{endpoint} did not end its answer within {_ANSWER_SECONDS:g} s and "
                    f"{asgi.MAX_BODY:,} bytes: is it an extractor's endpoint?"
                )
    return response.status_code, bytes(content)


async def _answer(service: realtime_service.RealtimeService, inputs: dict[str, Any]) -> dict[str, Any]:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await service.answer(inputs, {})
    except TimeoutError:
        raise errors.RunError(f"the extractor did not answer within {_ANSWER_SECONDS:g} s") from None
