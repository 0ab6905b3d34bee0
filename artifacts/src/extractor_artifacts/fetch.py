"""Bring an archive onto this disk: one call for a path, a ``file://``, an ``https://`` or an ``http://`` URL.

The bytes are hashed as they come, never twice, and the file appears only once they are all there and are the
right ones. Over the network, `download` gets them.
"""

import os
import stat
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from extractor_artifacts import digest as digests
from extractor_artifacts import urls
from extractor_artifacts.errors import ArtifactError, DigestMismatch
from extractor_artifacts.patience import Patience
from extractor_artifacts.spool import Spool

MAX_BYTES = 500 * 1024 * 1024
"""What an upload may weigh at most, unless the caller says otherwise."""

_CHUNK = 1024 * 1024
_PATIENCE = Patience()


@dataclass(frozen=True)
class Fetched:
    """What arrived."""

    digest: digests.Digest
    size: int


def fetch(
    location: str,
    into: Path,
    *,
    digest: str | None = None,
    max_bytes: int = MAX_BYTES,
    patience: Patience = _PATIENCE,
) -> Fetched:
    """Copy the archive at ``location`` to the file ``into``, or raise ArtifactError and leave no file.

    With a digest the bytes must match it. Blocks, so an event loop must hand it to a thread.
    """
    expected = None if digest is None else digests.parse(digest)
    shown = urls.redact(location)
    with Spool(into, origin=shown, max_bytes=max_bytes) as spool:
        match _scheme(location):
            case "https" | "http":
                # The HTTP client doubles this room's start-up time: only who downloads pays for it.
                from extractor_artifacts import download

                download.download(location, spool, plain_http=expected is not None, patience=patience)
            case "file":
                _copy(_path_of(location), spool)
            case "":
                _copy(Path(location), spool)
            case scheme:
                raise ArtifactError(
                    f"cannot fetch {shown}: {scheme}:// is not supported; "
                    "give a path, or a file://, https:// or (with a digest) http:// URL"
                )
        if expected is not None and spool.digest != expected:
            raise DigestMismatch(f"digest mismatch for {shown}: expected {expected}, got {spool.digest}")
        spool.commit()
        return Fetched(spool.digest, spool.size)


def _scheme(location: str) -> str:
    scheme, separator, _ = location.partition("://")
    return scheme.lower() if separator else ""


def _path_of(url: str) -> Path:
    parts = urllib.parse.urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise ArtifactError(
            f"cannot fetch {urls.redact(url)}: a file:// URL names this machine; write file:///path"
        )
    return Path(urllib.request.url2pathname(parts.path))


def _copy(path: Path, spool: Spool) -> None:
    try:
        with open(path, "rb", buffering=0, opener=_open_at_once) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ArtifactError(f"{spool.origin} is no file: give the path of a .zip or .tar.gz archive")
            spool.expect(status.st_size)
            while chunk := file.read(_CHUNK):
                spool.write(chunk)
    except OSError as err:
        raise ArtifactError(f"cannot read {spool.origin}: {err.strerror}; check the path") from err


def _open_at_once(path: str, flags: int) -> int:
    # Opening a pipe would otherwise wait for somebody to write into it.
    return os.open(path, flags | os.O_NONBLOCK)
