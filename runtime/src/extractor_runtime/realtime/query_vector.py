"""The vector of a query, made by the realtime half of the version that made the stored vectors."""

import asyncio
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
        response = httpx2.post(
            endpoint, content=body, headers={"content-type": "application/json"}, timeout=_ANSWER_SECONDS
        )
    except httpx2.HTTPError as error:
        raise errors.RunError(
            f"{endpoint} does not answer ({errors.describe(error)}): is `extractor serve` running?"
        ) from error
    if response.status_code != 200:
        raise errors.RunError(f"{endpoint} answered {response.status_code}: {response.text[:500]}")
    return answers.embedding(orjson.loads(response.content), manifest, feature)


async def _answer(service: realtime_service.RealtimeService, inputs: dict[str, Any]) -> dict[str, Any]:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await service.answer(inputs, {})
    except TimeoutError:
        raise errors.RunError(f"the extractor did not answer within {_ANSWER_SECONDS:g} s") from None
