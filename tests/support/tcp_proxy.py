"""A way to a server on which connections can fall silent: they stay open, and nothing comes through."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

_PIECE = 64 << 10
_LISTENING_SECONDS = 1.0


@dataclass(eq=False)
class _Connection:
    client: socket.socket
    server: socket.socket
    is_silent: bool = False
    spoken: float = 0.0
    """When the client last said something."""


class Proxy:
    """Passes on what comes, until it is told not to."""

    def __init__(self, server: int) -> None:
        self._target = server
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._connections: list[_Connection] = []
        self._mutes_listeners = False
        self.port: int = self._listening.getsockname()[1]

    def silence(self) -> None:
        """Pass nothing on between those that are connected now, and tell neither; new connections work."""
        for each in self._connections:
            each.is_silent = True

    def mute_listeners(self) -> None:
        """From now on pass on what a server answers at once, and nothing to who only waits for news."""
        # Who has just begun to wait would still be told.
        time.sleep(2 * _LISTENING_SECONDS)
        self._mutes_listeners = True

    def run(self) -> None:
        """Connect whoever comes, until closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                made = _Connection(client, socket.create_connection(("127.0.0.1", self._target)))
                self._connections.append(made)
                for work in (self._ask, self._answer):
                    threading.Thread(target=work, args=(made,), daemon=True).start()

    def close(self) -> None:
        """End every connection."""
        ends = [end for each in self._connections for end in (each.client, each.server)]
        for each in (self._listening, *ends):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _ask(self, made: _Connection) -> None:
        with contextlib.suppress(OSError):
            while piece := made.client.recv(_PIECE):
                made.spoken = time.monotonic()
                if not made.is_silent:
                    made.server.sendall(piece)
            if not made.is_silent:
                made.server.shutdown(socket.SHUT_WR)

    def _answer(self, made: _Connection) -> None:
        with contextlib.suppress(OSError):
            while piece := made.server.recv(_PIECE):
                is_news = time.monotonic() - made.spoken > _LISTENING_SECONDS
                # With a piece missing, the connection is of no use any more.
                made.is_silent = made.is_silent or (self._mutes_listeners and is_news)
                if not made.is_silent:
                    made.client.sendall(piece)
            if not made.is_silent:
                made.client.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def proxy(server: int) -> Iterator[Proxy]:
    """Run a proxy to a port of this machine until the block ends."""
    made = Proxy(server)
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield made
    finally:
        made.close()
        thread.join()
