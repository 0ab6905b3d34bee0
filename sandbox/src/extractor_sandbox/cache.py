"""What earlier scans of one owner's archives found, in a folder of the caller's.

Nothing of it is believed further than the owner could cheat already: docs/design says how far. Files of other
rules or of another Python lie in other folders, and the oldest are dropped. All writing is by renaming, so
that scans at the same time disturb nobody: the last one wins.
"""

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from extractor_apis.manifest import JsonObject
from extractor_apis.meta import Struct
from extractor_apis.scan import ScanPolicy
from extractor_sandbox import memory
from extractor_sandbox.extent import Extent
from extractor_sandbox.rules import RULESET

ARCHIVE_BYTES = 64 << 20
"""Larger ones are not kept whole: to hash them takes as long as to scan them."""

_RECORD_BYTES = 8 << 20
_ARCHIVES = 8
_RULES = 2
"""Folders of so many rule sets are kept: two, so that two versions of us may take turns."""
_READERS = ("isal", "modelaudit-picklescan", "packaging", "safetensors", "stringzilla")
"""Libraries that have a say in verdicts."""


class Record(Struct):
    """An accepted archive: what the worker said of it, and what became of it."""

    outcome: JsonObject
    artifact_digest: str


class Cache:
    """A folder of verdicts for one owner, rule set and Python."""

    def __init__(self, folder: Path) -> None:
        """Open or make it. Raises OSError."""
        self._folder = folder / _identity()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.utime(self._folder)
        _drop_oldest([each for each in folder.iterdir() if each.is_dir()], _RULES)

    def find(self, source_digest: str, policy: ScanPolicy) -> tuple[Record, Path] | None:
        """Find an archive by its digest: its record, and a file that is its canonical form if it is whole."""
        path = self._place(source_digest, policy)
        try:
            with path.open("rb") as file:
                return Record.model_validate_json(file.read(_RECORD_BYTES)), path.with_suffix(".zip")
        except (OSError, ValidationError):
            return None

    def keep(self, source_digest: str, policy: ScanPolicy, record: Record, canonical: int) -> None:
        """Keep an accepted archive, unless it is large."""
        size = os.fstat(canonical).st_size
        if size > ARCHIVE_BYTES:
            return
        path = self._place(source_digest, policy)
        with self._write(path.with_suffix(".zip")) as copy:
            for piece in Extent(canonical, 0, size).pieces():
                copy.write(piece)
        with self._write(path) as file:
            file.write(record.model_dump_json().encode())
        for old in _drop_oldest(self._folder.glob("*.json"), _ARCHIVES):
            old.with_suffix(".zip").unlink(missing_ok=True)

    @contextlib.contextmanager
    def verdicts(self) -> Iterator[IO[bytes]]:
        """Open what is known of single files."""
        with contextlib.ExitStack() as stack:
            try:
                yield stack.enter_context((self._folder / "files").open("rb"))
            except FileNotFoundError:
                yield stack.enter_context(tempfile.TemporaryFile(dir=self._folder))

    def learn(self, verdicts: int) -> None:
        """Keep what a worker that came to its end knows of single files now, if it came to them."""
        size = os.fstat(verdicts).st_size
        if 0 < size <= memory.MOST_BYTES:
            with self._write(self._folder / "files") as file:
                for piece in Extent(verdicts, 0, size).pieces():
                    file.write(piece)

    def _place(self, source_digest: str, policy: ScanPolicy) -> Path:
        # Not its strictness, which is applied to what the worker said.
        asked = [source_digest, sorted(policy.allowed_dependencies), policy.require_landlock]
        return self._folder / f"{hashlib.sha256(json.dumps(asked).encode()).hexdigest()}.json"

    @contextlib.contextmanager
    def _write(self, path: Path) -> Iterator[IO[bytes]]:
        """Write a file that appears when it is complete."""
        descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=".")
        try:
            with open(descriptor, "wb") as file:
                yield file
            os.replace(name, path)
        finally:
            Path(name).unlink(missing_ok=True)


@functools.cache
def _identity() -> str:
    """Digest all that judges: the rules with the code around them, the libraries that read, the Python."""
    versions = [importlib.metadata.version(name) for name in _READERS]
    engine = hashlib.sha256(json.dumps([RULESET, sys.version, sys.platform, versions]).encode())
    package = Path(__file__).parent
    for path in sorted(package.rglob("*.py")):
        engine.update(json.dumps([str(path.relative_to(package)), path.stat().st_size]).encode())
        engine.update(path.read_bytes())
    return engine.hexdigest()[:32]


def _drop_oldest(paths: Iterable[Path], keep: int) -> list[Path]:
    """Remove all but the newest; say which."""
    by_age = []
    for path in paths:
        with contextlib.suppress(FileNotFoundError):  # Another scan was faster.
            by_age.append((path.stat().st_mtime_ns, path))
    old = [path for _, path in sorted(by_age, reverse=True)[keep:]]
    for path in old:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return old
