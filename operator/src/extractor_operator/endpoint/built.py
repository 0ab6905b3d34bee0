"""Environments that Jobs have made, as the archives that pods fetch.

``shared/<key>/`` is one that the platform's own image made, and anybody's who asks for the same; one that a
tenant's image made is only for that tenant, because the image may have made anything. It appears whole.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pydantic

from extractor_artifacts.environments.order import Made
from extractor_artifacts.spool import TEMPORARY_PREFIX

ARCHIVE = "environment.tar"
_ABOUT = "made.json"
_ABOUT_BYTES = 64 << 10


@dataclass(frozen=True)
class Built:
    """The environments that a tenant may use, or with ``tenant`` None those of all."""

    root: Path
    tenant: str | None = None

    def find(self, key: str) -> Made | None:
        """Say what an environment is, which starts its grace anew; None if it is not there."""
        try:
            with (self._folder / key / _ABOUT).open("rb") as file:
                os.utime(self._folder / key)
                return Made.model_validate_json(file.read(_ABOUT_BYTES))
        except (FileNotFoundError, pydantic.ValidationError):
            return None

    def archive(self, key: str) -> Path:
        """Say where the archive of an environment is, once it is there."""
        return self._folder / key / ARCHIVE

    def keep(self, key: str, archive: Path, made: Made) -> None:
        """Keep an environment, unless there is one of that name."""
        if self.find(key):
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=self._folder, prefix=TEMPORARY_PREFIX))
        try:
            os.link(archive, staging / ARCHIVE)
            (staging / _ABOUT).write_text(made.model_dump_json())
            # What cannot be read is no environment.
            shutil.rmtree(self._folder / key, ignore_errors=True)
            staging.rename(self._folder / key)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    @property
    def _folder(self) -> Path:
        return self.root / "shared" if self.tenant is None else self.root / "tenants" / self.tenant


def sweep(root: Path, referenced: Collection[str], *, older_than: float) -> int:
    """Remove what no version refers to and has been there for so many seconds; count it."""
    before = time.time() - older_than
    stale = [
        folder
        for folder in (*root.glob("shared/*"), *root.glob("tenants/*/*"))
        if folder.name not in referenced and folder.stat().st_mtime < before
    ]
    for folder in stale:
        shutil.rmtree(folder, ignore_errors=True)
    return len(stale)
