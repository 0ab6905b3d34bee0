"""Small answers of a server, read whole within limits: manifests, lists, signatures."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import httpx2

from extractor_artifacts import urls, web
from extractor_artifacts.errors import FetchFailed, SourceRefused
from extractor_artifacts.guarded_loop import GuardedLoop, MayConnect
from extractor_artifacts.login import NOTHING, Fixed, Login
from extractor_artifacts.patience import Patience

T = TypeVar("T")
_NOBODY = Fixed()


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: httpx2.Headers
    body: bytes


class Session:
    """Asks until it has an answer, or patience ends."""

    def __init__(self, client: httpx2.AsyncClient, loop: GuardedLoop, patience: Patience) -> None:
        """Ask with ``client`` on ``loop``."""
        self.client = client
        self.loop = loop
        self.patience = patience

    async def get(
        self,
        url: str,
        headers: Mapping[str, str] = NOTHING,
        *,
        max_bytes: int,
        named: str | None = None,
        login: Login = _NOBODY,
        method: Literal["GET", "HEAD"] = "GET",
    ) -> Answer:
        """Get an answer, whatever its status; raise SourceError if there is none within the limits.

        ``named`` is the URL that the user named, if a server named this one. A login that is refused is
        renewed once.
        """
        answer = await self._get(url, {**headers, **login.headers()}, max_bytes, named, method)
        if answer.status == 401 and await login.renew(answer.headers):
            answer = await self._get(url, {**headers, **login.headers()}, max_bytes, named, method)
        return answer

    async def _get(
        self,
        url: str,
        headers: Mapping[str, str],
        max_bytes: int,
        named: str | None,
        method: Literal["GET", "HEAD"],
    ) -> Answer:
        shown = urls.redact(url)
        parsed = web.parse(url, shown)
        first = web.parse(named, shown) if named else None
        for number in range(1, self.patience.attempts + 1):
            after = None
            self.loop.has_refused = False
            try:
                async with web.ask(
                    self.client, parsed, headers, origin=shown, named=first, method=method
                ) as response:
                    if response.status_code not in web.TRANSIENT:
                        return await _read(response, shown, max_bytes)
                    reason, after = f"HTTP {response.status_code}", web.retry_after(response.headers)
            except httpx2.TransportError as err:
                if self.loop.has_refused and isinstance(err, httpx2.ConnectError):
                    raise web.not_public(shown) from err
                reason = str(err) or type(err).__name__
            if number < self.patience.attempts:
                await asyncio.sleep(self.patience.before_attempt(number + 1, after))
        raise FetchFailed(f"cannot read {shown}: {reason}; gave up after {number} attempts")


def run(
    work: Callable[[Session], Awaitable[T]],
    *,
    origin: str,
    patience: Patience,
    may_connect: MayConnect | None = None,
    may_ask: web.MayAsk | None = None,
    authority: str | None = None,
) -> T:
    """Do work that asks servers, within the patience; must not be called on a running event loop.

    With ``may_connect`` every address is asked about when it is connected to, and proxies are passed by; with
    ``may_ask`` every host. Certificates are those of the ``authority`` alone, if one is given in PEM.
    """
    loop = GuardedLoop(may_connect)

    async def bounded() -> T:
        async with asyncio.timeout(patience.total), web.client(patience, loop, may_ask, authority) as client:
            return await work(Session(client, loop, patience))

    try:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            return runner.run(bounded())
    except TimeoutError as err:
        raise FetchFailed(f"cannot read {origin}: gave up after {patience.total:g} s; try again") from err


async def _read(response: httpx2.Response, shown: str, max_bytes: int) -> Answer:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > max_bytes:
            raise SourceRefused(f"{shown} is larger than {max_bytes:,} bytes: it is not what it should be")
    return Answer(response.status_code, response.headers, bytes(body))
