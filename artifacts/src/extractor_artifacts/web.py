"""HTTP with servers that nobody vouches for: TLS, and redirects that are as safe as the first URL."""

import contextlib
import email.utils
import functools
import logging
import ssl
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Literal

import httpx2

from extractor_artifacts import connections, urls
from extractor_artifacts.errors import AuthenticationFailed, FetchFailed, NotFound, SourceError, SourceRefused
from extractor_artifacts.guarded_loop import GuardedLoop
from extractor_artifacts.patience import Patience

TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that may be others the next time."""

MayAsk = Callable[[str], bool]
"""Tells whether a host, by its name in a URL, may be asked."""

_MAX_REDIRECTS = 5

# They log every URL, signatures and all, and where redirects lead.
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)


def client(
    patience: Patience, loop: GuardedLoop, may_ask: MayAsk | None = None, authority: str | None = None
) -> httpx2.AsyncClient:
    """Make a client to be used on the loop; with ``may_ask`` every host is asked about, redirects' too.

    Servers are who the ``authority`` says, a certificate in PEM, or else one that this machine trusts.
    """

    async def check(request: httpx2.Request) -> None:
        if may_ask is not None and not may_ask(request.url.host):
            raise SourceRefused(
                f"refused to ask {request.url.host}: it is no host that the operator's settings allow"
            )

    # Past a proxy nobody sees which address is reached.
    has_proxy = not loop.is_guarded and bool(urllib.request.getproxies())
    return httpx2.AsyncClient(
        event_hooks={"request": [check]},
        timeout=httpx2.Timeout(patience.read, connect=patience.connect),
        verify=_certificates(authority),
        transport=None if has_proxy else connections.transport(_certificates(authority)),
        trust_env=has_proxy,
    )


def parse(url: str, origin: str) -> httpx2.URL:
    """Read a URL; raise SourceRefused, which names the origin, if it is none."""
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL:
        # The library's message may repeat the URL, with its secrets.
        raise SourceRefused(f"{origin} is no valid URL") from None
    _check_port(parsed, f"{origin} is no valid URL")
    if not parsed.host:
        raise SourceRefused(f"{origin} names no host: write https://host/path")
    return parsed


@contextlib.asynccontextmanager
async def ask(
    client: httpx2.AsyncClient,
    url: httpx2.URL,
    headers: Mapping[str, str],
    *,
    origin: str,
    method: Literal["GET", "HEAD"] = "GET",
    plain_http: bool = False,
    named: httpx2.URL | None = None,
) -> AsyncIterator[httpx2.Response]:
    """Ask, and follow redirects to the answer; its body is not read yet.

    ``named`` is the URL that the user named, if a server named this one. Raises SourceRefused where it is not
    safe to go on.
    """
    first = named or url
    # A digest is one of the bytes as stored: no transfer compression, and none is undone.
    headers = {"Accept-Encoding": "identity", **headers}
    for _ in range(_MAX_REDIRECTS + 1):
        _check_safe(url, first, plain_http)
        async with client.stream(method, url, headers=headers) as response:
            if not response.has_redirect_location:
                yield response
                return
            target = _redirected(url, response.headers["Location"], origin)
        if (target.scheme, target.host, target.port) != (url.scheme, url.host, url.port):
            headers = {name: value for name, value in headers.items() if name != "Authorization"}
        url = target
    raise SourceRefused(f"{origin} redirects more than {_MAX_REDIRECTS} times")


def refusal(status: int, origin: str) -> SourceError:
    """Say what an answer other than success means."""
    match status:
        case 401:
            return AuthenticationFailed(
                f"cannot read {origin}: HTTP 401, it asks for credentials, or for others than it was given"
            )
        case 403:
            return AuthenticationFailed(
                f"cannot read {origin}: HTTP 403, access is refused, or the link has expired"
            )
        case 404:
            return NotFound(f"cannot read {origin}: HTTP 404, nothing is there; check the URL")
        case 410:
            return NotFound(f"cannot read {origin}: HTTP 410, it is gone for good")
        case _:
            return FetchFailed(f"cannot read {origin}: HTTP {status}, check the URL")


def not_public(origin: str) -> SourceRefused:
    """Say that an address was refused."""
    return SourceRefused(
        f"refused to read {origin}: it is not at a public address; the operator's settings may allow it"
    )


def retry_after(headers: httpx2.Headers) -> float | None:
    """Give the seconds that the server asks to wait."""
    value = headers.get("Retry-After", "")
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _redirected(url: httpx2.URL, location: str, origin: str) -> httpx2.URL:
    try:
        target = url.join(location)
    except httpx2.InvalidURL:
        raise SourceRefused(f"{origin} redirects to something that is no valid URL") from None
    _check_port(target, f"{origin} redirects to something that is no valid URL")
    if target.scheme not in ("http", "https"):
        raise SourceRefused(f"{origin} redirects to {target.scheme}:, which is not followed")
    return target


def _check_port(url: httpx2.URL, fault: str) -> None:
    # The library takes any number, and fails when it connects, with an error of another kind.
    if url.port is not None and not 0 < url.port < 1 << 16:
        raise SourceRefused(fault)


def _check_safe(url: httpx2.URL, first: httpx2.URL, plain_http: bool) -> None:
    if url.scheme == "https" or plain_http:
        return
    # Only who names this machine in the first place may reach it in the clear: no redirect leads here.
    if urls.is_loopback(url.host) and urls.is_loopback(first.host):
        return
    raise SourceRefused(
        f"refused to read {urls.redact(str(url))}: without TLS anybody could have changed it; "
        "use https://, or give the digest of the archive"
    )


@functools.cache
def _certificates(authority: str | None) -> ssl.SSLContext:
    """Load the authorities once: it takes longer than most downloads."""
    return ssl.create_default_context(cadata=authority) if authority else httpx2.create_ssl_context()
