"""Install what was resolved into a folder that nobody can change, once."""

import ctypes
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import pydantic

from extractor_apis.meta import Struct
from extractor_artifacts.environments import cache as cache_folder
from extractor_artifacts.environments import lockfile, uv
from extractor_artifacts.environments.cache import Cache
from extractor_artifacts.environments.errors import DependencyConflict, EnvironmentFailed
from extractor_artifacts.environments.lockfile import Locked

_PACKAGES = "packages"
_ABOUT = "environment.json"
_ABOUT_BYTES = 4096


@dataclass(frozen=True)
class Environment:
    """Installed distributions, read-only."""

    key: str
    path: Path
    """To be the last entry of ``sys.path``: nothing in it hides a module of the runtime's."""
    packages: int
    size: int
    """Bytes."""


class _About(Struct):
    """What is told of an environment by a file in it."""

    packages: int
    size: int


def build(locked: Locked, cache: Cache) -> Environment:
    """Have the environment, installing it if nobody has.

    Raises DependencyConflict or EnvironmentFailed; then nothing of it stays. Blocks, so an event loop must
    hand it to a thread.
    """
    folder = cache.environment(locked.key)
    try:
        with cache.only_one(locked.key) as lock:
            about = _read(folder)
            is_new = about is None
            if about is None:
                about = _install(locked, folder, cache, lock)
            # Its grace begins again (`expiry`).
            os.utime(folder)
        if is_new:
            cache.sweep()
    except OSError as err:
        raise EnvironmentFailed(f"cannot write an environment in {cache.root}: {err.strerror}") from err
    return Environment(locked.key, folder / _PACKAGES, about.packages, about.size)


def _read(folder: Path) -> _About | None:
    try:
        with (folder / _ABOUT).open("rb") as file:
            return _About.model_validate_json(file.read(_ABOUT_BYTES))
    except FileNotFoundError:
        return None
    except pydantic.ValidationError as err:
        raise EnvironmentFailed(f"{folder} is damaged: remove it, and it is made again") from err


def _install(locked: Locked, folder: Path, cache: Cache, lock: int) -> _About:
    with cache_folder.staged(folder) as staging:
        packages = staging / _PACKAGES
        packages.mkdir()
        if locked.pins:
            pins = staging / "pins.txt"
            pins.write_text(lockfile.render(locked.pins))
            uv.run(uv.install_command(pins, packages), locked.python, cache, lock=lock)
        about = _About(packages=len(locked.pins), size=_size(packages))
        if about.size > cache.limits.bytes:
            raise DependencyConflict(
                f"the dependencies have {about.size:,} bytes installed, and {cache.limits.bytes:,} are "
                "allowed: depend on fewer, or on smaller ones"
            )
        (staging / _ABOUT).write_text(about.model_dump_json())
        _seal(staging)
        _sync(staging)
    _sync(folder.parent)
    return about


def _size(folder: Path) -> int:
    return sum(
        os.lstat(os.path.join(parent, name)).st_size for parent, _, files in os.walk(folder) for name in files
    )


def _seal(folder: Path) -> None:
    for parent, _, files in os.walk(folder, topdown=False):
        for name in files:
            path = os.path.join(parent, name)
            mode = os.lstat(path).st_mode
            # Of an executable, its bit is kept: some packages bring a program.
            os.chmod(path, 0o555 if mode & stat.S_IXUSR else 0o444)
        os.chmod(parent, 0o555)


def _sync(folder: Path) -> None:
    """Make all that was written durable: one wait for the disk, not one for each of thousands of files."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
        if syncfs is None:
            os.sync()
        elif syncfs(descriptor):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(descriptor)
