"""Read a URL to its end although connections break, servers are busy and headers lie.

An attempt asks for what is missing (Range, and If-Range so that a changed file starts over), follows
redirects that are as safe as the first URL, and adds bytes to the spool. Failures that may pass are retried
with growing pauses. One deadline bounds it all, name look-ups and slow headers too: hence asyncio inside.
"""

import asyncio
import email.utils
import functools
import random
import re
import ssl
import time

import httpx2

from extractor_artifacts import urls
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.guarded_loop import GuardedLoop, MayConnect
from extractor_artifacts.patience import Patience
from extractor_artifacts.spool import Spool

_MAX_REDIRECTS = 5
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_ADVICE = {
    401: "it asks for credentials",
    403: "access is refused, or the link has expired",
    404: "nothing is there; check the URL",
    410: "it is gone for good",
}


def download(
    url: str, spool: Spool, *, plain_http: bool, patience: Patience, may_connect: MayConnect | None = None
) -> str | None:
    """Gather the bytes of a URL in the spool, and give their content type.

    Unless plain http is allowed it must be https, or this machine. With ``may_connect`` every address is
    asked about when it is connected to, and proxies are passed by. Raises ArtifactError. Must not be called
    on a running event loop.
    """
    loop = GuardedLoop(may_connect)
    try:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            return runner.run(_Download(url, spool, plain_http, patience, loop).run())
    except TimeoutError as err:
        raise ArtifactError(
            f"cannot read {spool.origin}: gave up after {patience.total:g} s and {spool.size:,} bytes; "
            "try again, or use a faster mirror"
        ) from err


class _Interrupted(Exception):
    """An attempt failed in a way that may pass."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class _Download:
    def __init__(
        self, url: str, spool: Spool, plain_http: bool, patience: Patience, loop: GuardedLoop
    ) -> None:
        self._spool = spool
        self._plain_http = plain_http
        self._patience = patience
        self._loop = loop
        self._validator: str | None = None
        try:
            self._url = httpx2.URL(url)
        except httpx2.InvalidURL:
            # The library's message may repeat the URL, with its secrets.
            raise ArtifactError(f"{spool.origin} is no valid URL") from None
        if not self._url.host:
            raise ArtifactError(f"{spool.origin} names no host: write https://host/path")

    async def run(self) -> str | None:
        patience = self._patience
        client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(patience.read, connect=patience.connect),
            verify=_certificates(),
            # Past a proxy nobody sees which address is reached.
            trust_env=not self._loop.is_guarded,
        )
        fruitless = 0
        async with asyncio.timeout(patience.total), client:
            while True:
                before = self._spool.size
                try:
                    return await self._attempt(client)
                except (_Interrupted, httpx2.TransportError) as err:
                    if self._loop.has_refused and isinstance(err, httpx2.ConnectError):
                        raise ArtifactError(
                            f"refused to read {self._spool.origin}: it is not at a public address"
                        ) from err
                    fruitless = 1 if self._spool.size > before else fruitless + 1
                    if fruitless >= patience.attempts:
                        reason = str(err) or type(err).__name__
                        raise ArtifactError(
                            f"cannot read {self._spool.origin}: {reason}; gave up after {fruitless} attempts"
                        ) from err
                    await asyncio.sleep(self._pause(err, fruitless))

    def _pause(self, err: Exception, fruitless: int) -> float:
        after = err.after if isinstance(err, _Interrupted) else None
        if after is None:
            # Jitter, so that clients which failed together do not come back together.
            after = self._patience.pause * 2 ** (fruitless - 1) * random.uniform(0.5, 1.0)
        return min(after, self._patience.longest_pause)

    async def _attempt(self, client: httpx2.AsyncClient) -> str | None:
        # A digest is one of the bytes as stored: no transfer compression, and none is undone.
        headers = {"Accept-Encoding": "identity"}
        if self._spool.size and self._validator:
            headers |= {"Range": f"bytes={self._spool.size}-", "If-Range": self._validator}
        url = self._url
        for _ in range(_MAX_REDIRECTS + 1):
            self._check_safe(url)
            async with client.stream("GET", url, headers=headers) as response:
                if not response.has_redirect_location:
                    return await self._receive(response)
                url = self._redirected(url, response.headers["Location"])
        raise ArtifactError(f"{self._spool.origin} redirects more than {_MAX_REDIRECTS} times")

    def _redirected(self, url: httpx2.URL, location: str) -> httpx2.URL:
        try:
            target = url.join(location)
        except httpx2.InvalidURL:
            raise ArtifactError(f"{self._spool.origin} redirects to something that is no valid URL") from None
        if target.scheme not in ("http", "https"):
            raise ArtifactError(f"{self._spool.origin} redirects to {target.scheme}:, which is not followed")
        return target

    def _check_safe(self, url: httpx2.URL) -> None:
        if url.scheme == "https" or self._plain_http:
            return
        # Only who names this machine in the first place may reach it in the clear: no redirect leads here.
        if urls.is_loopback(url.host) and urls.is_loopback(self._url.host):
            return
        raise ArtifactError(
            f"refused to read {urls.redact(str(url))}: without TLS anybody could have changed it; "
            "use https://, or give the digest of the archive"
        )

    async def _receive(self, response: httpx2.Response) -> str | None:
        spool, headers = self._spool, response.headers
        if response.status_code in _TRANSIENT:
            raise _Interrupted(f"HTTP {response.status_code}", _retry_after(headers.get("Retry-After", "")))
        if response.status_code == 206 and _first_byte(headers.get("Content-Range", "")) != spool.size:
            spool.restart()
            raise _Interrupted("the server sent another part than the one asked for")
        if response.status_code == 416:
            spool.restart()
            raise _Interrupted("the server has fewer bytes than it sent before")
        if response.status_code == 200:
            spool.restart()
        elif response.status_code != 206:
            advice = _ADVICE.get(response.status_code, "check the URL")
            raise ArtifactError(f"cannot read {spool.origin}: HTTP {response.status_code}, {advice}")
        self._validator = _validator(headers)
        if (length := headers.get("Content-Length", "")).isdecimal():
            spool.expect(spool.size + int(length))
        async for chunk in response.aiter_raw():
            spool.write(chunk)
        content_type: str | None = headers.get("Content-Type")
        return content_type


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Load the authorities once: it takes longer than most downloads."""
    return httpx2.create_ssl_context()


def _validator(headers: httpx2.Headers) -> str | None:
    tag: str | None = headers.get("ETag")
    if tag is not None and not tag.startswith("W/"):
        return tag
    return headers.get("Last-Modified")


def _first_byte(content_range: str) -> int | None:
    match = re.match(r"bytes (\d{1,19})-", content_range)
    return int(match[1]) if match else None


def _retry_after(value: str) -> float | None:
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None
