"""An event loop that connects only where it may.

A check of the URL would be too early: redirects, and name servers that answer differently the next time, lead
elsewhere. Every connection of asyncio's is made here.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

MayConnect = Callable[[str], bool]
"""Tells whether an IP address may be connected to."""


class GuardedLoop(asyncio.SelectorEventLoop):
    """Asks before it connects, and remembers having refused: libraries hide why a connection failed."""

    def __init__(self, may_connect: MayConnect | None) -> None:
        """Prepare to ask ``may_connect``, or nobody."""
        super().__init__()
        self._may_connect = may_connect
        self.has_refused = False

    @property
    def is_guarded(self) -> bool:
        """Tell whether anybody is asked."""
        return self._may_connect is not None

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect, as asyncio does, if the address may be connected to."""
        if self._may_connect is not None and not self._may_connect(address[0]):
            self.has_refused = True
            raise PermissionError("this address may not be connected to")
        await super().sock_connect(sock, address)
