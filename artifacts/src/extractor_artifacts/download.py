"""Read a URL to its end although connections break, servers are busy and headers lie.

An attempt asks for what is missing (Range, and If-Range so that a changed file starts over), follows
redirects that are as safe as the first URL, and adds bytes to the spool. Failures that may pass are retried
with growing pauses. One deadline bounds it all, name look-ups and slow headers too: hence asyncio inside.
"""

import asyncio
import email.utils
import random
import re
import time

import httpx2

from extractor_artifacts import urls
from extractor_artifacts.errors import ArtifactError
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


def download(url: str, spool: Spool, *, pinned: bool, patience: Patience) -> None:
    """Gather the bytes of a URL in the spool; plain http only if pinned by a digest, or from loopback.

    Raises ArtifactError. Must not be called on a running event loop.
    """
    try:
        asyncio.run(_Download(url, spool, pinned, patience).run())
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
    def __init__(self, url: str, spool: Spool, pinned: bool, patience: Patience) -> None:
        self._spool = spool
        self._pinned = pinned
        self._patience = patience
        self._validator: str | None = None
        try:
            self._url = httpx2.URL(url)
        except httpx2.InvalidURL:
            # The library's message may repeat the URL, with its secrets.
            raise ArtifactError(f"{spool.origin} is no valid URL") from None
        if not self._url.host:
            raise ArtifactError(f"{spool.origin} names no host: write https://host/path")

    async def run(self) -> None:
        patience = self._patience
        timeout = httpx2.Timeout(patience.read, connect=patience.connect)
        fruitless = 0
        async with asyncio.timeout(patience.total), httpx2.AsyncClient(timeout=timeout) as client:
            while True:
                before = self._spool.size
                try:
                    return await self._attempt(client)
                except (_Interrupted, httpx2.TransportError) as err:
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

    async def _attempt(self, client: httpx2.AsyncClient) -> None:
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
        if url.scheme == "https" or self._pinned:
            return
        # Only who names this machine in the first place may reach it in the clear: no redirect leads here.
        if urls.is_loopback(url.host) and urls.is_loopback(self._url.host):
            return
        raise ArtifactError(
            f"refused to read {urls.redact(str(url))}: without TLS anybody could have changed it; "
            "use https://, or give the digest of the archive"
        )

    async def _receive(self, response: httpx2.Response) -> None:
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
