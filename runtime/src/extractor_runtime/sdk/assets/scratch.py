"""Temporary files of this process: one folder, which goes with the process however it ends.

It is removed at exit. A process that is killed cannot, so each one that makes a folder first sweeps those of
the dead; which those are, a lock tells that dies with its holder.
"""

import atexit
import contextlib
import fcntl
import functools
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "extractor-scratch-"


def folder() -> Path:
    """Give this process's folder, made when it is first asked for."""
    # By process: a fork has a folder of its own, and does not remove its parent's.
    return _folder_of(os.getpid())


def sweep() -> None:
    """Remove the folders of processes that are gone."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        # Another user's, or just swept by somebody else.
        with contextlib.suppress(OSError):
            _sweep(path)


@functools.cache
def _folder_of(pid: int) -> Path:
    sweep()
    path = _make()
    atexit.register(_remove, path, pid)
    return path


def _make() -> Path:
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        # A sweep may come between making the folder and locking it.
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDONLY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if path.exists():
                return path
            os.close(descriptor)


def _sweep(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(descriptor)


def _remove(path: Path, pid: int) -> None:
    if os.getpid() == pid:
        shutil.rmtree(path, ignore_errors=True)
