"""The folder that environments live in, and what fills it.

``environments/<key>/`` is one, ``locks/<key>.txt`` what requirements came to, ``runtimes/<digest>/`` what a
runtime has, ``uv/`` uv's own cache, of which environments are hard links. What is there is whole: everything
appears by a rename. Who holds the lock of a key owns its hidden neighbours.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from extractor_apis.packages import PackageIndex
from extractor_artifacts import lock, unpack
from extractor_artifacts.environments.errors import EnvironmentFailed
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.spool import TEMPORARY_PREFIX


@dataclass(frozen=True)
class Limits:
    """What one environment may take."""

    packages: int = 200
    bytes: int = 8 << 30
    """Installed; also what its largest file may have."""
    free_bytes: int = 1 << 30
    """What the disk must have left meanwhile."""
    seconds: float = 900.0
    """For each call of uv; who waits for another builder waits twice as long."""


@dataclass(frozen=True)
class Cache:
    """A folder of environments that any number of processes may share, and where packages come from."""

    root: Path
    index: PackageIndex = field(default_factory=PackageIndex)
    limits: Limits = Limits()

    @property
    def uv(self) -> Path:
        """uv's own cache: of nobody else, because what is linked from it must not change."""
        return self.root / "uv"

    def environment(self, key: str) -> Path:
        """Say where an environment is, once it is there."""
        return self.root / "environments" / key

    def locked(self, key: str) -> Path:
        """Say where what requirements came to is written."""
        return self.root / "locks" / f"{key}.txt"

    def runtime(self, digest: str) -> Path:
        """Say where the index of what a runtime has is."""
        return self.root / "runtimes" / digest

    @contextlib.contextmanager
    def only_one(self, key: str, *, seconds: float | None = None) -> Iterator[int]:
        """Be the only one who makes what has this key, and yield the lock's descriptor.

        Raises EnvironmentFailed if another process is at it for so many seconds, or two builds' time.

        A child that inherits it keeps others out for as long as it lives, even when its parent is killed.
        """
        folder = self.root / "builders"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.ExitStack() as held:
            try:
                patience = 2 * self.limits.seconds if seconds is None else seconds
                descriptor = held.enter_context(lock.exclusive(folder / key, seconds=patience))
            except ArtifactError as err:
                raise EnvironmentFailed(f"another process is at the same environment: {err}") from err
            yield descriptor

    def sweep(self) -> None:
        """Remove what builders left that were killed."""
        ours = (self.environment(""), self.locked("").parent, self.runtime(""))
        for leftover in (each for folder in ours for each in folder.glob(f"{TEMPORARY_PREFIX}*")):
            key = leftover.name.removeprefix(TEMPORARY_PREFIX).partition(".")[0]
            with (
                contextlib.suppress(ArtifactError, FileNotFoundError),
                lock.exclusive(self.root / "builders" / key, seconds=0),
            ):
                _remove(leftover)


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yield a hidden folder that becomes this one in the end; for who holds the lock of its key."""
    # A neighbour: renaming a read-only folder into another one needs a permission that it does not have.
    staging = folder.with_name(f"{TEMPORARY_PREFIX}{folder.name}")
    with contextlib.suppress(FileNotFoundError):
        _remove(staging)
    staging.mkdir(parents=True)
    try:
        yield staging
        staging.rename(folder)
    except BaseException:
        _remove(staging)
        raise


def _remove(leftover: Path) -> None:
    if leftover.is_file():
        leftover.unlink()
    else:
        unpack.remove(leftover)
