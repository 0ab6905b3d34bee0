"""A file that appears whole or not at all, counted and hashed on its way in.

Bytes go to a hidden neighbour of the target; `Spool.commit` makes them durable and renames them. A process
that is killed leaves at most the neighbour behind. Of what has a digest they may go to a file that the next
process finds, and goes on with.
"""

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from extractor_artifacts import digest
from extractor_artifacts.errors import ArchiveTooLarge, ArtifactError, DigestMismatch

TEMPORARY_PREFIX = "."

_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Begun:
    """Where the bytes of what has this digest gather, whichever process fetches them."""

    path: Path
    """On the file system of the target."""
    digest: digest.Digest


class Spool:
    """Where the bytes of one archive gather; use it as a context manager."""

    def __init__(self, target: Path, *, origin: str, max_bytes: int, begun: Begun | None = None) -> None:
        """Prepare for at most ``max_bytes`` from ``origin``, which errors name: give it redacted.

        What is there of ``begun`` has gathered already, unless somebody is at it right now.
        """
        self.origin = origin
        self.max_bytes = max_bytes
        self.size = 0
        self._target = target
        self._begun = begun
        self._is_resumed = False
        self._is_committed = False
        self._hash = hashlib.sha256()

    def __enter__(self) -> Self:
        with _writing(self._target):
            self._target.parent.mkdir(parents=True, exist_ok=True)
            descriptor = _claim(self._begun.path) if self._begun else None
            if self._begun and descriptor is not None:
                self._path = self._begun.path
            else:
                self._begun = None
                descriptor, name = tempfile.mkstemp(
                    dir=self._target.parent, prefix=f"{TEMPORARY_PREFIX}{self._target.name}."
                )
                self._path = Path(name)
            self._file = open(descriptor, "r+b", buffering=0)
            self._take_up()
        return self

    def __exit__(self, type: object, error: BaseException | None, _: object) -> None:
        # Not what is wrong, nor what is of no use to anybody.
        is_kept = self._begun and self.size and not isinstance(error, ArchiveTooLarge | DigestMismatch)
        if not (self._is_committed or is_kept):
            self._path.unlink(missing_ok=True)
        # Last: with it goes the lock.
        self._file.close()

    @property
    def digest(self) -> digest.Digest:
        """The digest of what has gathered so far."""
        return digest.of_hash(self._hash)

    @property
    def is_resumed(self) -> bool:
        """Whether some of the bytes were there already."""
        return self._is_resumed

    @property
    def is_spoilt(self) -> bool:
        """Whether what was there already has led to something else than it should be: begin again."""
        return self._begun is not None and self._is_resumed and self.digest != self._begun.digest

    def expect(self, size: int) -> None:
        """Raise ArchiveTooLarge if that many bytes would be too many."""
        if size > self.max_bytes:
            raise ArchiveTooLarge(self.origin, self.max_bytes)

    def write(self, chunk: bytes) -> None:
        """Add bytes; raise ArchiveTooLarge when they become too many, ArtifactError when the disk is full."""
        self.expect(self.size + len(chunk))
        with _writing(self._target):
            view = memoryview(chunk)
            while view:
                view = view[self._file.write(view) :]
        self._hash.update(chunk)
        self.size += len(chunk)

    def restart(self) -> None:
        """Forget everything that has gathered."""
        self._file.seek(0)
        self._file.truncate()
        self._hash = hashlib.sha256()
        self.size = 0
        self._is_resumed = False

    def commit(self, *, lasting: bool = True) -> None:
        """Make the target appear, in place of one that was there; what is to last, durable and read-only."""
        with _writing(self._target):
            if lasting:
                os.fchmod(self._file.fileno(), 0o444)
                os.fsync(self._file.fileno())
            self._path.replace(self._target)
            self._is_committed = True

    def _take_up(self) -> None:
        """Count and hash what has gathered already."""
        if os.fstat(self._file.fileno()).st_size > self.max_bytes:
            self.restart()
        while chunk := self._file.read(_CHUNK):
            self._hash.update(chunk)
            self.size += len(chunk)
        self._is_resumed = self.size > 0


def _claim(path: Path) -> int | None:
    """Open a file that nobody else is at, or that is not there yet; None if somebody is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with contextlib.suppress(BlockingIOError, FileNotFoundError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever was at it may have finished it, and moved it away.
        if path.stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
    os.close(descriptor)
    return None


@contextlib.contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as err:
        raise ArtifactError(f"cannot write {target}: {err.strerror}") from err
