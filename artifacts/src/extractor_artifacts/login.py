"""Who asks: what a request says of it, and what is done when the server has had enough of that."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import httpx2

NOTHING: Mapping[str, str] = MappingProxyType({})


class Login(Protocol):
    """Speaks for whoever asks a server."""

    def headers(self) -> Mapping[str, str]:
        """Give what a request says of who asks."""

    async def renew(self, refusal: httpx2.Headers) -> bool:
        """Find something else to say after a 401, and tell whether there is anything."""


class Fixed:
    """Says the same every time."""

    def __init__(self, authorization: str | None = None) -> None:
        """Say ``authorization``, or nothing."""
        self._headers = {"Authorization": authorization} if authorization else NOTHING

    def headers(self) -> Mapping[str, str]:
        """Give it."""
        return self._headers

    async def renew(self, refusal: httpx2.Headers) -> bool:
        """Find nothing else."""
        return False
