"""A web server that answers what it is told to, in order, and remembers what it was asked."""

import contextlib
import http.server
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One response."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    """Close the connection after so many bytes of the body."""
    drip: float = 0.0
    """Seconds between the bytes of the body."""


@dataclass(frozen=True)
class Served:
    """A running server."""

    url: str
    requests: list[dict[str, str]]
    """The headers of each request so far, with lower-case names, its method as ``:method`` and its path
    as ``:path``."""


@contextlib.contextmanager
def serve(*answers: Answer, tls: ssl.SSLContext | None = None) -> Iterator[Served]:
    """Answer the n-th request with the n-th answer, and every later one with the last."""
    requests: list[dict[str, str]] = []
    closed = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers[min(len(requests), len(answers) - 1)]
            requests.append(
                {":method": self.command, ":path": self.path}
                | {name.lower(): value for name, value in self.headers.items()}
            )
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                if self.command != "HEAD":
                    self._send(answer)
            self.close_connection = True

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        do_PUT = do_POST

        def _send(self, answer: Answer) -> None:
            if not answer.drip:
                self.wfile.write(answer.body[: answer.cut])
                return
            for byte in answer.body:
                if closed.wait(answer.drip):
                    return
                self.wfile.write(bytes([byte]))

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Served(f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}", requests)
        finally:
            closed.set()
            server.shutdown()
            thread.join()
