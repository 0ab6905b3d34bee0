"""The API server, as far as the operator talks to it: a few calls, each with a deadline, on one bounded pool.

Plain JSON goes in and comes out. What goes wrong is an `ApiError` with the server's own sentence.
"""

import asyncio
import contextlib
import os
import urllib.parse
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.dynamic import DynamicClient

from extractor_apis import naming
from extractor_operator.errors import ApiError, ApiUnavailable, Exists, Gone

Json = dict[str, Any]

_SECONDS = 30.0
_CONNECTIONS = 32
_PAGE = 500
_APPLY = "application/apply-patch+yaml"


class Client:
    """Calls of the API server. The paths are those of its REST API, from the root on."""

    def __init__(self, dynamic: DynamicClient, *, seconds: float = _SECONDS) -> None:
        self._dynamic = dynamic
        self._seconds = seconds

    async def get(self, path: str) -> Json:
        """Read one object. Raises Gone if there is none."""
        return await self._call("get", path)

    async def create(self, path: str, body: Mapping[str, Any]) -> Json:
        """Make an object in the collection at the path. Raises Exists if there is one of that name."""
        return await self._call("post", path, body=dict(body))

    async def replace(self, path: str, body: Mapping[str, Any]) -> Json:
        """Write an object unless it has changed since it was read, which raises Gone."""
        return await self._call("put", path, body=dict(body))

    async def apply(self, path: str, body: Mapping[str, Any]) -> Json:
        """Say what the operator wants an object to have; what it said before and leaves out now is removed.

        Raises Gone if there is no such object, or one with another uid.
        """
        return await self._call(
            "patch",
            path,
            body=dict(body),
            content_type=_APPLY,
            field_manager=naming.FIELD_MANAGER,
            force_conflicts=True,
        )

    async def delete(self, path: str, uid: str) -> None:
        """Delete an object, and after it what was made for it. One that is gone already is no error."""
        body = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        with contextlib.suppress(Gone):
            await self._call("delete", path, body=body)

    async def find(self, path: str, labels: str, *, limit: int = _PAGE) -> list[Json]:
        """List what has labels (``name=value,…``) in a collection; no more than a page of it."""
        page = await self._call("get", path, label_selector=labels, limit=limit)
        items: list[Json] = page.get("items", [])
        return items

    async def pages(self, path: str) -> AsyncIterator[list[Json]]:
        """List a collection, page by page."""
        following = None
        while True:
            page = await self._call("get", path, limit=_PAGE, _continue=following)
            yield page.get("items", [])
            following = page["metadata"].get("continue")
            if not following:
                return

    async def _call(self, method: str, path: str, **options: Any) -> Json:
        try:
            # Its own time-out does not cover waiting for a connection of the pool.
            async with asyncio.timeout(self._seconds):
                answer: Json = await self._dynamic.request(
                    method, path, serializer=_plain, _request_timeout=self._seconds, **options
                )
        except ApiException as err:
            # The library's own text has headers and a traceback in it.
            message = f"the API server refused to {method} {path}: {err.status} {_sentence(err)}"
            if err.status == 409 and method == "post":
                raise Exists(message) from None
            if err.status in (404, 409):
                raise Gone(message) from None
            is_busy = err.status == 429 or err.status >= 500
            raise (ApiUnavailable if is_busy else ApiError)(message) from None
        except (aiohttp.ClientError, OSError, TimeoutError) as err:
            reason = str(err) or type(err).__name__
            raise ApiUnavailable(f"the API server does not answer {method} {path}: {reason}") from err
        return answer


@contextlib.asynccontextmanager
async def connect() -> AsyncIterator[Client]:
    """Connect as `KUBECONFIG` says, or else as the pod's service account. Raises ApiError for neither."""
    configuration = Configuration()
    try:
        if os.environ.get("KUBECONFIG"):
            await config.load_kube_config(client_configuration=configuration, persist_config=False)
        else:
            config.load_incluster_config(client_configuration=configuration)
    except config.ConfigException as err:
        raise ApiError(f"no API server is known: set KUBECONFIG, or run in a pod ({err})") from err
    configuration.connection_pool_maxsize = _CONNECTIONS
    async with ApiClient(configuration) as api:
        yield Client(DynamicClient(api))


def path(api: str, plural: str, namespace: str | None = None, *more: str) -> str:
    """Name a collection (``api`` is ``group/version``, or ``v1``), or with more parts what is in it.

    Of the parts some are from a status that a tenant may have written: none leads elsewhere.
    """
    root = f"/api/{api}" if "/" not in api else f"/apis/{api}"
    parts = [*(["namespaces", namespace] if namespace else []), plural, *more]
    return "/".join([root, *(urllib.parse.quote(part, safe="") for part in parts)])


def _plain(_: DynamicClient, answer: Json) -> Json:
    return answer


def _sentence(err: Any) -> str:
    try:
        return str(err.summary())
    except (AttributeError, ValueError):
        return str(err.reason)
