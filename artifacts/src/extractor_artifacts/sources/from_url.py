"""An archive at a URL: on the web, in a bucket, or uploaded to the platform."""

from pathlib import Path

from extractor_apis.extractorversion import ZipSource
from extractor_artifacts import download, urls
from extractor_artifacts.digest import Digest
from extractor_artifacts.errors import DigestMismatch, NotFound, SourceRefused
from extractor_artifacts.sources import pin
from extractor_artifacts.sources.access import Access, FetchedSource
from extractor_artifacts.sources.request import request
from extractor_artifacts.spool import Spool

_UPLOADED = "store"


def fetch(source: ZipSource, into: Path, *, access: Access, pinned: str | None) -> FetchedSource:
    """Have the archive in the file ``into``; see `sources.fetch_source`."""
    shown = urls.redact(source.url)
    scheme, _, rest = source.url.partition("://")
    expected = _expected(source, rest if scheme == _UPLOADED else None, pinned)
    begun = None
    if expected is not None and access.blobs is not None:
        size = access.blobs.take(expected, into)
        if size is not None:
            return FetchedSource(expected, size, pin.resolved(shown, expected))
        begun = access.blobs.begun(expected, into)
    if scheme == _UPLOADED:
        raise NotFound(f"{shown} is not in the store of this namespace: upload the archive again")
    with Spool(into, origin=shown, max_bytes=access.max_bytes, begun=begun) as spool:
        asked = request(source.url, access)
        download.download(
            asked.url,
            spool,
            # Anybody on the way could change it, and would be noticed.
            plain_http=source.digest is not None,
            patience=access.patience,
            may_connect=access.addresses.may_connect,
            may_ask=access.addresses.may_ask,
            login=asked.login,
        )
        if expected not in (None, spool.digest):
            raise DigestMismatch(f"digest mismatch for {shown}: expected {expected}, got {spool.digest}")
        spool.commit(lasting=False)
    if access.blobs is not None:
        access.blobs.add(into, spool.digest)
    return FetchedSource(spool.digest, spool.size, pin.resolved(shown, spool.digest))


def _expected(source: ZipSource, uploaded: str | None, pinned: str | None) -> Digest | None:
    named = {pin.digest_of(text) for text in (source.digest, uploaded, pinned) if text is not None}
    if len(named) > 1:
        raise SourceRefused(f"{urls.redact(source.url)} cannot have two digests: name one")
    return named.pop() if named else None
