"""Landlock: a process gives up files, network and signals for itself and all that it starts.

It needs no privilege. What the kernel does not know yet is left out, so each version of its interface (ABI)
takes as much as it can.
"""

import contextlib
import ctypes
import os
from collections.abc import Iterable

from extractor_sandbox import prctl, syscalls

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
READ = READ_FILE | READ_DIR
MAKE_DEVICES = 1 << 6 | 1 << 11
IOCTL_DEVICE = 1 << 15
_TRUNCATE = 1 << 14
_ONE_FILE = EXECUTE | WRITE_FILE | READ_FILE | _TRUNCATE | IOCTL_DEVICE
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
"""How many rights on files there are from an ABI on: REFER is new in 2, TRUNCATE in 3, IOCTL_DEV in 5."""
_TCP_BIND, _TCP_CONNECT = 1, 2
_ABSTRACT_SOCKETS, _SIGNALS = 1, 2
_VERSION, _PATH_BENEATH = 1, 1


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def abi() -> int:
    """Give the version of the kernel's Landlock; 0 where it has none."""
    try:
        return syscalls.call("landlock_create_ruleset", 0, 0, _VERSION)
    except OSError:
        return 0


def all_rights(abi: int) -> int:
    """Name all rights on files that an ABI knows."""
    return (1 << max(count for since, count in _FILE_RIGHTS.items() if since <= abi)) - 1


def restrict(abi: int, allowed: Iterable[tuple[str, int]], *, tcp: bool = False) -> None:
    """Keep rights on files and folders, each with what is in it, and no others, for good.

    Paths that do not exist are passed over. Without ``tcp`` no port is bound or connected to. Abstract unix
    sockets and processes outside are out of reach. Raises OSError.
    """
    handled = all_rights(abi)
    ruleset = _Ruleset(
        handled,
        _TCP_BIND | _TCP_CONNECT if abi >= 4 and not tcp else 0,
        _ABSTRACT_SOCKETS | _SIGNALS if abi >= 6 else 0,
    )
    # An older kernel takes a longer struct as long as what it does not know is zero.
    descriptor = syscalls.call("landlock_create_ruleset", ctypes.byref(ruleset), ctypes.sizeof(ruleset), 0)
    try:
        for path, rights in allowed:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                _allow(descriptor, path, rights & handled)
        prctl.set_no_new_privileges()
        syscalls.call("landlock_restrict_self", descriptor, 0)
    finally:
        os.close(descriptor)


def _allow(ruleset: int, path: str, rights: int) -> None:
    parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not os.path.isdir(f"/proc/self/fd/{parent}"):
            rights &= _ONE_FILE
        rule = _PathBeneath(rights, parent)
        syscalls.call("landlock_add_rule", ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(parent)
