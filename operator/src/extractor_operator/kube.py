"""The API server, as far as the operator talks to it: a few calls, each with a deadline, on one bounded pool.

Plain JSON goes in and comes out. What goes wrong is an `ApiError` with the server's own sentence.
"""

import contextlib
import os
import urllib.parse
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import Any

import aiohttp
import orjson
from kubernetes.aio import config
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject

from extractor_apis import naming
from extractor_apis.errors import ExtractorError
from extractor_operator.errors import ApiError, ApiUnavailable, Exists, Gone

Json = dict[str, Any]

_SECONDS = 30.0
_CONNECTIONS = 32
_PAGE = 100
"""Objects. What a page takes as Python objects, mostly RayJobs, the process does not give back."""
_JSON = "application/json"
_APPLY = "application/apply-patch+yaml"
_SENTENCE_CHARACTERS = 1000
_NO_QUERY: Mapping[str, str | int] = MappingProxyType({})


class Client:
    """Calls of the API server. The paths are those of its REST API, from the root on."""

    def __init__(
        self, session: aiohttp.ClientSession, configuration: Configuration, *, seconds: float = _SECONDS
    ) -> None:
        """Call the server of a configuration, which knows who calls and may learn of a newer token."""
        self._session = session
        self._configuration = configuration
        self._timeout = aiohttp.ClientTimeout(total=seconds)

    async def get(self, path: str) -> Json:
        """Read one object. Raises Gone if there is none."""
        return await self._call("get", path)

    async def create(self, path: str, body: Mapping[str, Any]) -> Json:
        """Make an object in the collection at the path. Raises Exists if there is one of that name."""
        return await self._call("post", path, body=body)

    async def replace(self, path: str, body: Mapping[str, Any]) -> Json:
        """Write an object unless it has changed since it was read, which raises Gone."""
        return await self._call("put", path, body=body)

    async def apply(self, path: str, body: Mapping[str, Any]) -> Json:
        """Say what the operator wants an object to have; what it said before and leaves out now is removed.

        Raises Gone if there is no such object, or one with another uid.
        """
        return await self._call(
            "patch",
            path,
            query={"fieldManager": naming.FIELD_MANAGER, "force": "true"},
            body=body,
            content_type=_APPLY,
        )

    async def delete(self, path: str, uid: str) -> None:
        """Delete an object, and after it what was made for it. One that is gone already is no error."""
        body = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        with contextlib.suppress(Gone):
            await self._call("delete", path, body=body)

    async def find(self, path: str, labels: str, *, limit: int) -> list[Json]:
        """List what has labels (``name=value,…``) in a collection; no more than the limit."""
        page = await self._call("get", path, query={"labelSelector": labels, "limit": limit})
        items: list[Json] = page.get("items", [])
        return items

    async def pages(self, path: str) -> AsyncIterator[list[Json]]:
        """List a collection, page by page."""
        query: dict[str, str | int] = {"limit": _PAGE}
        while True:
            page = await self._call("get", path, query=query)
            yield page.get("items", [])
            following = page["metadata"].get("continue")
            if not following:
                return
            query["continue"] = following

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] = _NO_QUERY,
        body: Mapping[str, Any] | None = None,
        content_type: str = _JSON,
    ) -> Json:
        try:
            headers = {"Accept": _JSON, "Content-Type": content_type, **await self._login()}
            async with self._session.request(
                method,
                f"{self._configuration.host}{path}?{urllib.parse.urlencode(query)}",
                data=None if body is None else orjson.dumps(body),
                headers=headers,
                # It covers waiting for a connection of the pool too.
                timeout=self._timeout,
                proxy=self._configuration.proxy,
                proxy_headers=self._configuration.proxy_headers,
                server_hostname=self._configuration.tls_server_name,
            ) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as err:
            reason = str(err) or type(err).__name__
            raise ApiUnavailable(f"the API server does not answer {method} {path}: {reason}") from err
        if answer.status >= 300:
            raise _refusal(method, path, answer.status, _sentence(content) or str(answer.reason))
        found: Json = orjson.loads(content)
        return found

    async def _login(self) -> Mapping[str, str]:
        token = await self._configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        return {"Authorization": token} if token else {}


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
    # The library's own calls cost three times what the call itself costs.
    tls = RESTClientObject(configuration).ssl_context
    connector = aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=tls)
    async with aiohttp.ClientSession(
        connector=connector, headers={"User-Agent": naming.FIELD_MANAGER}
    ) as session:
        yield Client(session, configuration)


def path(api: str, plural: str, namespace: str | None = None, *more: str) -> str:
    """Name a collection (``api`` is ``group/version``, or ``v1``), or with more parts what is in it.

    Of the parts some are from a status that a tenant may have written: none leads elsewhere. Raises ApiError
    for one that would.
    """
    root = f"/api/{api}" if "/" not in api else f"/apis/{api}"
    parts = [*(["namespaces", namespace] if namespace else []), plural, *more]
    if not {".", ".."}.isdisjoint(parts):
        raise ApiError(f"{'/'.join(parts)} is no path: nothing is named . or ..")
    return "/".join([root, *(urllib.parse.quote(part, safe="") for part in parts)])


def _refusal(method: str, path: str, status: int, sentence: str) -> ExtractorError:
    message = f"the API server refused to {method} {path}: {status} {sentence}"
    if status == 409 and method == "post":
        return Exists(message)
    if status in (404, 409):
        return Gone(message)
    return (ApiUnavailable if status == 429 or status >= 500 else ApiError)(message)


def _sentence(content: bytes) -> str:
    """Read what the API server says of a refusal: the message of its Status, or a proxy's own words."""
    try:
        said = orjson.loads(content)["message"]
    except (ValueError, LookupError, TypeError):
        said = content.decode("utf-8", "replace")
    return str(said)[:_SENTENCE_CHARACTERS]
