"""Many requests to the API server, on a few connections that are kept open."""

import http.client
import json
import ssl
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from support import operators
from support.kubernetes import Cluster

Json = dict[str, Any]
T = TypeVar("T")

MERGE = "application/merge-patch+json"

_CONNECTIONS = 8


class Api:
    """The API server, as its administrator writes to it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._local = threading.local()

    def create(self, namespace: str, items: Iterable[Json]) -> None:
        """Create versions."""
        self.all(lambda item: self.call("POST", operators.path(namespace), item), items)

    def write_statuses(self, namespace: str, items: Iterable[Json]) -> None:
        """Give versions the status that they have in another namespace."""

        def write(item: Json) -> None:
            path = operators.path(namespace, item["metadata"]["name"])
            self.call("PATCH", f"{path}/status", {"status": item["status"]}, MERGE)

        self.all(write, items)

    def list(self, namespace: str) -> list[Json]:
        """Read all versions of a namespace."""
        with ThreadPoolExecutor(1) as thread:
            found: list[Json] = thread.submit(self.call, "GET", operators.path(namespace)).result()["items"]
        return found

    def all(self, call: Callable[[T], object], items: Iterable[T], connections: int = _CONNECTIONS) -> None:
        """Make a call for each item, so many at a time."""
        # Threads of their own, and so connections: one that was idle for minutes may be closed by now.
        with ThreadPoolExecutor(connections) as threads:
            for _ in threads.map(call, items):
                pass

    def call(self, method: str, path: str, body: Json | None = None, form: str = "application/json") -> Json:
        """Make one call, on the connection of the thread. Raises RuntimeError for what is refused."""
        if not hasattr(self._local, "connection"):
            context = ssl.create_default_context(cafile=str(self._cluster.certificate))
            self._local.connection = http.client.HTTPSConnection(
                "127.0.0.1", self._cluster.port, timeout=60, context=context
            )
        headers = {"Authorization": f"Bearer {self._cluster.token}", "Content-Type": form}
        self._local.connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = self._local.connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:500]!r}")
        found: Json = json.loads(content)
        return found
