"""A network of a process's own, with nothing in it but itself, and a view of the files without sockets."""

import ctypes
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterable
from pathlib import Path

from extractor_sandbox import syscalls

NEW_MOUNTS, NEW_USER, NEW_NETWORK = 0x00020000, 0x10000000, 0x40000000
ALL = NEW_MOUNTS | NEW_USER | NEW_NETWORK | 0x02000000 | 0x04000000 | 0x08000000 | 0x20000000
"""Also those of control groups, host names, messages and process ids."""
_BIND, _RECURSIVE, _PRIVATE = 1 << 12, 1 << 14, 1 << 18
_NO_SUID, _NO_DEVICES = 2, 4
_SET_FLAGS, _UP_AND_RUNNING = 0x8914, 0x41


def enter(kinds: int) -> None:
    """Enter new namespaces, in a new one of users where that is what it takes. Raises OSError."""
    user, group = os.getuid(), os.getgid()
    try:
        syscalls.call("unshare", kinds)
    except OSError as err:
        if err.errno != errno.EPERM:
            raise
        syscalls.call("unshare", kinds | NEW_USER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def start_loopback() -> None:
    """Let the processes of this network reach each other at 127.0.0.1 and ::1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP_AND_RUNNING))


def cover(folders: Iterable[str], kept: Iterable[str]) -> None:
    """Put empty folders over some, with only what is kept in them. Raises OSError.

    Whoever may see a socket's path may connect to it, whatever Landlock says of files: to the socket of a
    container engine, or of a user's agents.
    """
    _mount("none", "/", flags=_RECURSIVE | _PRIVATE)
    places = {os.path.realpath(each) for each in kept if os.path.exists(each)}
    covered = {os.path.realpath(each) for each in folders if os.path.isdir(each)} - places - {"/"}
    for folder in _outermost(covered):
        _cover(folder, _outermost(path for path in places if path.startswith(f"{folder}/")))


def _outermost(paths: Iterable[str]) -> set[str]:
    """Leave out what lies in another: it comes with that."""
    all_of_them = set(paths)
    return {path for path in all_of_them if all_of_them.isdisjoint(map(str, Path(path).parents))}


def _cover(folder: str, inside: Iterable[str]) -> None:
    opened = {path: os.open(path, os.O_PATH) for path in inside}
    folders = {path for path in opened if os.path.isdir(path)}
    _mount("tmpfs", folder, kind="tmpfs", flags=_NO_SUID | _NO_DEVICES, options="mode=755")
    for path, descriptor in opened.items():
        place = Path(path)
        (place if path in folders else place.parent).mkdir(parents=True, exist_ok=True)
        if path not in folders:
            place.touch()
        _mount(f"/proc/self/fd/{descriptor}", path, flags=_BIND | _RECURSIVE)
        os.close(descriptor)


def _mount(source: str, target: str, *, kind: str = "", flags: int = 0, options: str = "") -> None:
    texts = (ctypes.c_char_p(os.fsencode(each)) for each in (source, target, kind))
    syscalls.call("mount", *texts, flags, ctypes.c_char_p(options.encode()))
