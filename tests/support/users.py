"""Programs run as an ordinary user, also where the tests are root's and Python is in root's home."""

import ctypes
import os
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from extractor_sandbox import syscalls

NOBODY = 65534
_NEW_MOUNTS = 0x00020000
_BIND, _RECURSIVE, _PRIVATE = 1 << 12, 1 << 14, 1 << 18


def run_python(
    arguments: Sequence[str], *, ordinary: bool, environment: Mapping[str, str], seconds: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run this Python to its end; ``ordinary`` where root would be too much, which only root can ask for."""
    wrapper = [__file__] if ordinary and os.geteuid() == 0 else []
    return subprocess.run(
        [sys.executable, *wrapper, *arguments],
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=True,
    )


def become_ordinary() -> None:
    """Give up being root, in a view of the files in which this Python can still be read."""
    syscalls.call("unshare", _NEW_MOUNTS)
    _mount(b"none", "/", flags=_RECURSIVE | _PRIVATE)
    for needed in {sys.prefix, sys.base_prefix, str(Path(__file__).parents[2])}:
        _uncover(Path(needed))
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def _uncover(needed: Path) -> None:
    """Put an empty folder over the first one that is closed to others, with only what is needed in it."""
    closed = next((each for each in [*needed.parents][::-1] if not each.stat().st_mode & stat.S_IXOTH), None)
    if closed is None:
        return
    kept = os.open(needed, os.O_PATH)
    _mount(b"tmpfs", str(closed), kind=b"tmpfs", options=b"mode=755")
    needed.mkdir(parents=True)
    _mount(f"/proc/self/fd/{kept}".encode(), str(needed), flags=_BIND | _RECURSIVE)


def _mount(source: bytes, target: str, *, kind: bytes = b"", flags: int = 0, options: bytes = b"") -> None:
    texts = (ctypes.c_char_p(each) for each in (source, target.encode(), kind))
    syscalls.call("mount", *texts, flags, ctypes.c_char_p(options))


if __name__ == "__main__":
    become_ordinary()
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
