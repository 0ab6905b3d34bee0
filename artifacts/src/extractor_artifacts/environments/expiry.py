"""Environments that nobody needs any more are removed, and with them what uv keeps of theirs."""

import contextlib
import fcntl
import shutil
import time
from collections.abc import Collection
from pathlib import Path

from extractor_artifacts import unpack
from extractor_artifacts.environments.cache import Cache
from extractor_artifacts.environments.errors import EnvironmentFailed
from extractor_artifacts.spool import TEMPORARY_PREFIX

_LOCK = ".lock"
"""What uv holds in its cache while it works."""


def expire(cache: Cache, referenced: Collection[str], *, older_than: float) -> list[str]:
    """Remove, and name, the environments that nobody refers to and nobody asked for for so many seconds."""
    before = time.time() - older_than
    folder = cache.environment("")
    removed = []
    for path in sorted(folder.glob("[!.]*")):
        if path.name in referenced or path.stat().st_mtime > before:
            continue
        # Whoever holds the lock has just asked for it.
        with contextlib.suppress(EnvironmentFailed), cache.only_one(path.name, seconds=0):
            if path.stat().st_mtime > before:
                continue
            # Under a hidden name first: what is there is whole.
            unpack.remove(path.rename(path.with_name(f"{TEMPORARY_PREFIX}{path.name}")))
            removed.append(path.name)
    if removed:
        _drop_downloads(cache.uv)
    return removed


def _drop_downloads(uv: Path) -> None:
    """Empty uv's cache: environments that stay have links to what they need, and all else is of no use."""
    with (uv / _LOCK).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # uv is at work; the next time will do.
        for each in uv.iterdir():
            if each.is_dir():
                shutil.rmtree(each)
