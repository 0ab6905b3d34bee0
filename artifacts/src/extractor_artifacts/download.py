"""Read a URL to its end although connections break, servers are busy, logins expire and headers lie.

An attempt asks for what is missing (Range, and If-Range so that a changed file starts over), follows
redirects that are as safe as the first URL, and adds bytes to the spool. Failures that may pass are retried
with growing pauses. One deadline bounds it all, name look-ups and slow headers too: hence asyncio inside.
"""

import asyncio
import logging
import re

import httpx2

from extractor_artifacts import session, web
from extractor_artifacts.errors import FetchFailed
from extractor_artifacts.guarded_loop import MayConnect
from extractor_artifacts.login import Fixed, Login
from extractor_artifacts.patience import Patience
from extractor_artifacts.session import Session
from extractor_artifacts.spool import Spool

_NOBODY = Fixed()

_logger = logging.getLogger(__name__)


def download(
    url: str,
    spool: Spool,
    *,
    plain_http: bool,
    patience: Patience,
    may_connect: MayConnect | None = None,
    may_ask: web.MayAsk | None = None,
    login: Login = _NOBODY,
    authority: str | None = None,
) -> str | None:
    """Gather the bytes of a URL in the spool, and give their content type.

    Unless plain http is allowed it must be https, or this machine; ``authority`` as in `session.run`. Raises
    SourceError, and ArtifactError if this machine is at fault. Must not be called on a running event loop.
    """
    return session.run(
        lambda asking: receive(asking, url, spool, plain_http=plain_http, login=login),
        origin=spool.origin,
        patience=patience,
        may_connect=may_connect,
        may_ask=may_ask,
        authority=authority,
    )


async def receive(
    asking: Session, url: str, spool: Spool, *, plain_http: bool = False, login: Login = _NOBODY
) -> str | None:
    """Gather the bytes of a URL in the spool, in a session that may have asked other things."""
    content_type = await _Download(asking, url, spool, plain_http, login).run()
    if spool.is_spoilt:
        # What another process left was of other bytes, or was damaged with the machine.
        spool.restart()
        content_type = await _Download(asking, url, spool, plain_http, login).run()
    return content_type


class _Interrupted(Exception):
    """An attempt failed in a way that may pass."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class _LoginRefused(Exception):
    """The server did not take what was said of who asks."""

    def __init__(self, headers: httpx2.Headers) -> None:
        super().__init__()
        self.headers = headers


class _Download:
    def __init__(self, asking: Session, url: str, spool: Spool, plain_http: bool, login: Login) -> None:
        self._client = asking.client
        self._loop = asking.loop
        self._patience = asking.patience
        self._spool = spool
        self._plain_http = plain_http
        self._login = login
        self._is_login_new = False
        self._validator: str | None = None
        self._url = web.parse(url, spool.origin)

    async def run(self) -> str | None:
        fruitless = 0
        while True:
            before = self._spool.size
            self._loop.has_refused = False
            try:
                return await self._attempt()
            except _LoginRefused as err:
                # One that was just renewed will not do the next time either.
                if self._is_login_new or not await self._login.renew(err.headers):
                    raise web.refusal(401, self._spool.origin) from None
                self._is_login_new = True
            except (_Interrupted, httpx2.TransportError) as err:
                if self._loop.has_refused and isinstance(err, httpx2.ConnectError):
                    raise web.not_public(self._spool.origin) from err
                fruitless = 1 if self._spool.size > before else fruitless + 1
                reason = str(err) or type(err).__name__
                if fruitless >= self._patience.attempts:
                    raise FetchFailed(
                        f"cannot read {self._spool.origin}: {reason}; gave up after {fruitless} attempts"
                    ) from err
                after = err.after if isinstance(err, _Interrupted) else None
                pause = self._patience.before_attempt(fruitless + 1, after)
                # Whoever waits for it, perhaps for minutes, sees why.
                _logger.warning(
                    "cannot read %s: %s; trying again in %.1f s", self._spool.origin, reason, pause
                )
                await asyncio.sleep(pause)

    async def _attempt(self) -> str | None:
        headers = dict(self._login.headers())
        if self._spool.size and (self._validator or self._spool.is_resumed):
            headers["Range"] = f"bytes={self._spool.size}-"
        if self._spool.size and self._validator:
            headers["If-Range"] = self._validator
        async with web.ask(
            self._client, self._url, headers, origin=self._spool.origin, plain_http=self._plain_http
        ) as response:
            return await self._receive(response)

    async def _receive(self, response: httpx2.Response) -> str | None:
        spool, headers = self._spool, response.headers
        if response.status_code in web.TRANSIENT:
            raise _Interrupted(f"HTTP {response.status_code}", web.retry_after(headers))
        if response.status_code == 401:
            raise _LoginRefused(headers)
        if response.status_code == 206 and _first_byte(headers.get("Content-Range", "")) != spool.size:
            spool.restart()
            raise _Interrupted("the server sent another part than the one asked for")
        if response.status_code == 416:
            spool.restart()
            raise _Interrupted("the server has fewer bytes than it sent before")
        if response.status_code == 200:
            spool.restart()
        elif response.status_code != 206:
            raise web.refusal(response.status_code, spool.origin)
        self._is_login_new = False
        self._validator = _validator(headers)
        if (length := headers.get("Content-Length", "")).isdecimal():
            spool.expect(spool.size + int(length))
        async for chunk in response.aiter_raw():
            spool.write(chunk)
        content_type: str | None = headers.get("Content-Type")
        return content_type


def _validator(headers: httpx2.Headers) -> str | None:
    tag: str | None = headers.get("ETag")
    if tag is not None and not tag.startswith("W/"):
        return tag
    return headers.get("Last-Modified")


def _first_byte(content_range: str) -> int | None:
    match = re.match(r"bytes (\d{1,19})-", content_range)
    return int(match[1]) if match else None
