"""A file that appears whole or not at all, counted and hashed on its way in.

Bytes go to a hidden neighbour of the target; `Spool.commit` makes them durable and renames them. A process
that is killed leaves at most the neighbour behind.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from extractor_artifacts import digest
from extractor_artifacts.errors import ArchiveTooLarge, ArtifactError

TEMPORARY_PREFIX = "."


class Spool:
    """Where the bytes of one archive gather; use it as a context manager."""

    def __init__(self, target: Path, *, origin: str, max_bytes: int) -> None:
        """Prepare for at most ``max_bytes`` from ``origin``, which errors name: give it redacted."""
        self.origin = origin
        self.max_bytes = max_bytes
        self.size = 0
        self._target = target
        self._hash = hashlib.sha256()

    def __enter__(self) -> Self:
        with _writing(self._target):
            self._target.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(
                dir=self._target.parent, prefix=f"{TEMPORARY_PREFIX}{self._target.name}."
            )
        self._path = Path(name)
        self._file = open(descriptor, "wb", buffering=0)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    @property
    def digest(self) -> digest.Digest:
        """The digest of what has gathered so far."""
        return digest.of_hash(self._hash)

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

    def commit(self, *, lasting: bool = True) -> None:
        """Make the target appear, in place of one that was there; what is to last, durable and read-only."""
        with _writing(self._target):
            if lasting:
                os.fchmod(self._file.fileno(), 0o444)
                os.fsync(self._file.fileno())
            self._path.replace(self._target)


@contextlib.contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as err:
        raise ArtifactError(f"cannot write {target}: {err.strerror}") from err
