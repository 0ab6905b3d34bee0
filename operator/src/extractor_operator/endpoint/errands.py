"""What Jobs are sent for, and have brought back: folders, so that it outlives this process.

``<uid>/<verb>/<errand>/`` is open from its rename into place until it is closed; a version has one for a verb
at most. What a Job may take along lies in it from the start, and what it brings appears in it whole.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from extractor_artifacts.spool import TEMPORARY_PREFIX
from extractor_operator.endpoint.capability import Verb

_OPENED = "opened"
"""File that only an open errand has: what is handed in too late may make a folder of that name."""


@dataclass(frozen=True)
class Errand:
    """An open errand."""

    folder: Path

    @property
    def name(self) -> str:
        """What it is called: who is sent for something else has another one."""
        return self.folder.name

    def file(self, name: str) -> Path | None:
        """Say where something is; None if it is not there."""
        path = self.folder / name
        return path if path.is_file() else None

    def drop(self, *names: str) -> None:
        """Have some files no more."""
        for name in names:
            (self.folder / name).unlink(missing_ok=True)


@dataclass(frozen=True)
class Errands:
    """All of them."""

    root: Path

    def open(self, uid: str, verb: Verb, name: str, files: Mapping[str, Path | bytes]) -> Errand:
        """Have an errand, with what it takes along; any other of that verb ends."""
        place = self.root / uid / verb
        folder = place / name
        if (folder / _OPENED).exists():
            return Errand(folder)
        self.close(uid, verb)
        place.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=place, prefix=TEMPORARY_PREFIX))
        for each, content in {**files, _OPENED: b""}.items():
            _place(content, staging / each)
        staging.rename(folder)
        return Errand(folder)

    def find(self, uid: str, verb: Verb) -> Errand | None:
        """Give a version's errand of a verb; None if it has none."""
        found = (self.root / uid / verb).glob(f"[!{TEMPORARY_PREFIX}]*/{_OPENED}")
        return next((Errand(path.parent) for path in found), None)

    def close(self, uid: str, verb: Verb) -> None:
        """End an errand: nothing is handed in for it any more."""
        place = self.root / uid / verb
        if place.is_dir():
            # Out of reach first, so that nobody finds half of it.
            hidden = Path(tempfile.mkdtemp(dir=self.root, prefix=TEMPORARY_PREFIX))
            place.rename(hidden / verb)
            shutil.rmtree(hidden, ignore_errors=True)

    def sweep(self, uids: Collection[str], *, older_than: float) -> int:
        """Remove what was for versions that are gone, or died half-way; count it."""
        before = time.time() - older_than
        stale = [
            path
            for path in (self.root.iterdir() if self.root.is_dir() else ())
            if path.name not in uids and path.stat().st_mtime < before
        ]
        for path in stale:
            shutil.rmtree(path, ignore_errors=True)
        return len(stale)


def _place(content: Path | bytes, target: Path) -> None:
    if isinstance(content, bytes):
        target.write_bytes(content)
        return
    try:
        os.link(content, target)
    except OSError:
        # Another file system.
        shutil.copyfile(content, target)
