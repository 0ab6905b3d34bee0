"""Many requests to the API server, on a few connections that are kept open."""

import http.client
import json
import ssl
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from support import operators
from support.kubernetes import Cluster

Json = dict[str, Any]

_CONNECTIONS = 8


class Api:
    """The API server, as its administrator writes to it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._local = threading.local()

    def create(self, namespace: str, items: Iterable[Json]) -> None:
        """Create versions."""
        self._all(lambda item: self._call("POST", operators.path(namespace), item), items)

    def write_statuses(self, namespace: str, items: Iterable[Json]) -> None:
        """Give versions the status that they have in another namespace."""

        def write(item: Json) -> None:
            path = operators.path(namespace, item["metadata"]["name"])
            self._call("PATCH", f"{path}/status", {"status": item["status"]})

        self._all(write, items)

    def list(self, namespace: str) -> list[Json]:
        """Read all versions of a namespace."""
        with ThreadPoolExecutor(1) as thread:
            found: list[Json] = thread.submit(self._call, "GET", operators.path(namespace)).result()["items"]
        return found

    def _all(self, call: Callable[[Json], object], items: Iterable[Json]) -> None:
        # Threads of their own, and so connections: one that was idle for minutes may be closed by now.
        with ThreadPoolExecutor(_CONNECTIONS) as threads:
            for _ in threads.map(call, items):
                pass

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        if not hasattr(self._local, "connection"):
            context = ssl.create_default_context(cafile=str(self._cluster.certificate))
            self._local.connection = http.client.HTTPSConnection(
                "127.0.0.1", self._cluster.port, timeout=60, context=context
            )
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Authorization": f"Bearer {self._cluster.token}", "Content-Type": kind}
        self._local.connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = self._local.connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:500]!r}")
        found: Json = json.loads(content)
        return found
