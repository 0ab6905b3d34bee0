"""A tenant's blobs by digest: what was uploaded, and what was fetched and need not be again.

``sha256/<hex>`` appears by a rename and is read-only. Giving a blob out makes a link, or a copy across file
systems, so that a sweep takes nothing away from who has it. One folder for each tenant: whoever may name a
digest may read what it names.
"""

import contextlib
import errno
import os
import secrets
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from extractor_artifacts import digest as digests
from extractor_artifacts import lock
from extractor_artifacts.digest import Digest
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.spool import TEMPORARY_PREFIX, Begun, Spool

_CHUNK = 1024 * 1024
_LOCK_SECONDS = 60.0


class BlobStore:
    """A folder of blobs that any number of processes may share."""

    def __init__(self, root: Path) -> None:
        """Use the folder ``root``, which need not exist."""
        self._root = root.absolute()
        self._folder = self._root / "sha256"

    def add(self, file: Path, digest: Digest | None = None) -> Digest:
        """Keep a file, which was found to have the digest, or is hashed.

        The blob is a link to the same bytes: nobody may write to them afterwards.
        """
        digest = digest or digests.of_file(file)
        with self._writing():
            _place(file, self._path(digest))
        return digest

    def add_bytes(self, content: bytes) -> Digest:
        """Keep what is in memory."""
        digest = digests.of_bytes(content)
        with self._writing(), _spool(self._path(digest), len(content)) as spool:
            spool.write(content)
            spool.commit()
        return digest

    def begun(self, digest: Digest, into: Path) -> Begun | None:
        """Say where what is to be fetched ``into`` a file gathers, so that whoever comes next can go on."""
        with _explained(self._root):
            for folder in (self._folder, into.parent):
                folder.mkdir(parents=True, exist_ok=True)
            if self._folder.stat().st_dev != into.parent.stat().st_dev:
                return None
        return Begun(self._folder / f"{TEMPORARY_PREFIX}{digests.digits(digest)}.part", digest)

    def take(self, digest: Digest, into: Path) -> int | None:
        """Have a blob in the file ``into``, and give its size; None if it is not here.

        Its bytes are checked. A damaged one is removed, so that it is fetched again.
        """
        blob = self._path(digest)
        if not self._touch(blob):
            return None
        with _explained(into):
            into.parent.mkdir(parents=True, exist_ok=True)
            try:
                _place(blob, into)
            except FileNotFoundError:
                return None
            if digests.of_file(into) == digest:
                return into.stat().st_size
            into.unlink()
            blob.unlink(missing_ok=True)
            return None

    def read(self, digest: Digest, *, max_bytes: int) -> bytes | None:
        """Give a small blob's bytes; None if it is not here, larger, or damaged."""
        blob = self._path(digest)
        if not self._touch(blob):
            return None
        with _explained(blob):
            try:
                with blob.open("rb") as file:
                    content = file.read(max_bytes)
            except FileNotFoundError:
                return None
        return content if digests.of_bytes(content) == digest else None

    def sweep(self, referenced: Collection[str], *, older_than: float) -> list[Digest]:
        """Remove the blobs that nobody refers to and nobody added or took for so many seconds.

        What died half-way is removed after the same time, so it must be longer than any fetch takes.
        """
        if not self._folder.is_dir():
            return []
        before = time.time() - older_than
        kept = {digests.digits(digests.parse(digest)) for digest in referenced}
        removed = []
        with self._writing():
            for path in sorted(self._folder.iterdir()):
                if path.name in kept or path.stat().st_mtime > before:
                    continue
                path.unlink()
                if not path.name.startswith(TEMPORARY_PREFIX):
                    removed.append(digests.parse(f"sha256:{path.name}"))
        return removed

    def _path(self, digest: Digest) -> Path:
        return self._folder / digests.digits(digest)

    def _touch(self, blob: Path) -> bool:
        """Start the grace of a blob again; tell whether it is there."""
        if not blob.exists():
            return False
        with self._writing():
            try:
                os.utime(blob)
            except FileNotFoundError:
                return False
        return True

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with _explained(self._root):
            self._folder.mkdir(parents=True, exist_ok=True)
            with lock.exclusive(self._root / "lock", seconds=_LOCK_SECONDS):
                yield


def _place(source: Path, target: Path) -> None:
    """Make the target appear with the source's bytes, in place of one that was there."""
    link = target.with_name(f"{TEMPORARY_PREFIX}{target.name}.{secrets.token_hex(4)}")
    try:
        os.link(source, link)
        os.chmod(link, 0o444)
        os.utime(link)
        link.replace(target)
    except OSError as err:
        if err.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            raise
        _copy(source, target)
    finally:
        # Also where the target was a link to the same bytes: renaming does nothing then.
        link.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as file, _spool(target, os.fstat(file.fileno()).st_size) as spool:
        while chunk := file.read(_CHUNK):
            spool.write(chunk)
        spool.commit()


def _spool(target: Path, size: int) -> Spool:
    return Spool(target, origin=str(target), max_bytes=size)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as err:
        raise ArtifactError(f"cannot use {path}: {err.strerror}; check its disk and permissions") from err
