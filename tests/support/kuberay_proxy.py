"""Services of a test's API server, without a node: each is a port of this machine.

Every request goes to what the Service selects at that moment, so that moving its selector moves the traffic.
"""

import contextlib
import http.client
import http.server
import threading
from collections.abc import Callable
from typing import Any

from support import kuberay
from support.kuberay import Api

_SECONDS = 60
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"})

FindPort = Callable[[str, dict[str, str]], int | None]
"""Gives where the pods of a namespace answer that a selector selects; None if none does."""


class Services:
    """The ports of Services, each opened when it is first asked for."""

    def __init__(self, api: Api, find_port: FindPort) -> None:
        self._api, self._find_port = api, find_port
        self._servers: dict[tuple[str, str], http.server.ThreadingHTTPServer] = {}

    def url(self, namespace: str, service: str) -> str:
        """Give the URL of a Service's port."""
        server = self._servers.get((namespace, service))
        if server is None:
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler(namespace, service))
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            self._servers[namespace, service] = server
        return f"http://127.0.0.1:{server.server_port}"

    def close(self) -> None:
        """Close all ports."""
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    def _backend(self, namespace: str, service: str) -> int | None:
        found = self._api.get(kuberay.api_path("v1", "services", namespace, service))
        selector = (found or {}).get("spec", {}).get("selector")
        return self._find_port(namespace, selector) if selector else None

    def _handler(self, namespace: str, service: str) -> type[http.server.BaseHTTPRequestHandler]:
        services = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                port = services._backend(namespace, service)
                try:
                    if port is None:
                        raise ConnectionRefusedError(f"nothing is behind the Service {service}")
                    status, headers, content = _ask(port, self.command, self.path, self.headers, body)
                except OSError as err:
                    status, headers, content = 502, [], str(err).encode()
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in _HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = _forward

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _ask(port: int, method: str, path: str, headers: Any, body: bytes) -> tuple[int, list[Any], bytes]:
    kept = {name: value for name, value in headers.items() if name.lower() not in _HOP}
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)) as connection:
        connection.request(method, path, body, kept)
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()
