"""What the worker takes from itself before it touches the archive, so that nothing in there can use it.

On Linux that is: files but for the interpreter's own (Landlock), system calls but for a few (seccomp), and
memory, time and size (limits). Elsewhere there are only the limits, which the report says.
"""

import errno
import fcntl
import importlib
import math
import os
import resource
import sys
from dataclasses import dataclass

from extractor_sandbox import landlock, limits, prctl, seccomp
from extractor_sandbox.seccomp import Filter, Only

_ADDRESS_SPACE = 1 << 30
_FILE_BYTES = limits.UNPACKED_BYTES + 32 * limits.MIB
_OPEN_FILES = 64

_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
"""What the interpreter's own extension modules are linked with."""
_IMPORTED_LATE = ("modelaudit_picklescan", "packaging.requirements", "tokenize", "traceback", "unicodedata")
"""Modules that are imported when they are needed, and before the archive where no file can be opened then."""

_CALLS = """
read pread64 readv preadv preadv2 write pwrite64 writev pwritev pwritev2 lseek close fstat newfstatat
ftruncate fallocate fsync fdatasync fadvise64 readahead sendfile copy_file_range dup dup2 dup3
mmap munmap mremap mprotect brk madvise membarrier futex rseq set_robust_list restart_syscall
rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack exit exit_group wait4 waitid
getpid gettid getppid getuid geteuid getgid getegid getcwd getrusage getrandom uname sysinfo
clock_gettime clock_getres gettimeofday time nanosleep clock_nanosleep sched_yield sched_getaffinity
poll ppoll select pselect6
"""
_LOOKS = "stat lstat statx access faccessat faccessat2 readlink readlinkat getdents64"
"""What an import looks for its file with."""
_TERMINAL_AND_INHERITANCE = (0x5401, 0x5450, 0x5451)
_COPIES_AND_FLAGS = (fcntl.F_DUPFD, fcntl.F_DUPFD_CLOEXEC, fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL)
"""Not the others: a descriptor with an owner sends it any signal, whoever it is."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class ConfinementError(Exception):
    """What a scan needs cannot be had on this machine."""


@dataclass(frozen=True)
class Confinement:
    """What holds the process now."""

    measures: tuple[str, ...]
    """For example ``("landlock 7", "seccomp", "rlimits")``."""
    lacking: str | None = None
    """What this machine does not have, and what that means; a sentence."""


def confine(seconds: float, *, require_landlock: bool = False) -> Confinement:
    """Give up everything but reading and writing descriptors that are open, for good.

    Every process that may touch the archive calls it, and dies with its parent. Raises ConfinementError.
    """
    if sys.platform != "linux":
        if require_landlock:
            raise ConfinementError(f"Landlock is required, and {sys.platform} has none: scan on Linux")
        _limit_all(seconds)
        lacking = f"{sys.platform} has neither Landlock nor seccomp: only time and sizes were limited"
        return Confinement(("rlimits",), lacking)
    abi = landlock.abi()
    if not abi and require_landlock:
        raise ConfinementError(
            "Landlock is required, and this kernel has none: scan on Linux 5.13 or later with landlock in "
            "its list of security modules, or do without require_landlock"
        )
    prctl.die_with_parent()
    prctl.set_undumpable()
    if abi:
        landlock.restrict(abi, [(path, landlock.READ) for path in (*sys.path, *_LIBRARIES)])
    else:
        for name in _IMPORTED_LATE:
            importlib.import_module(name)
    _limit_all(seconds)
    try:
        seccomp.install(_filter(opens=abi > 0))
    except OSError as err:
        raise ConfinementError(
            f"a scan needs a filter of system calls, and there is none ({err.strerror}): scan on Linux on "
            "x86_64 or aarch64, with seccomp in its kernel and container settings"
        ) from err
    if abi:
        return Confinement((f"landlock {abi}", "seccomp", "rlimits"))
    lacking = (
        "this kernel has no Landlock: only a filter of system calls kept files and network from the scan"
    )
    return Confinement(("seccomp", "rlimits"), lacking)


def _filter(*, opens: bool) -> Filter:
    """Allow what the worker does once it runs; opening a file only where Landlock says which."""
    myself = os.getpid()
    return Filter(
        default=seccomp.refuse(),
        calls=dict.fromkeys((_CALLS + _LOOKS if opens else _CALLS).split(), seccomp.ALLOW)
        # So that the C library takes an older call.
        | {"clone3": seccomp.refuse(errno.ENOSYS)},
        only=(
            Only("ioctl", 1, _TERMINAL_AND_INHERITANCE),
            Only("fcntl", 1, _COPIES_AND_FLAGS),
            # A process that aborts signals itself.
            *(Only(name, 0, (myself,)) for name in ("kill", "tgkill")),
            *((Only("open", 1, (0,), _WRITING), Only("openat", 2, (0,), _WRITING)) if opens else ()),
        ),
    )


def _limit_all(seconds: float) -> None:
    """Bound memory, processor time and file size; no core dump, which would hold the archive."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, math.ceil(seconds))
    _limit(resource.RLIMIT_FSIZE, _FILE_BYTES)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    # Of the whole user: it has more already, so not one more starts.
    _limit(resource.RLIMIT_NPROC, 0)
    if sys.platform == "linux":  # macOS refuses to bound the address space.
        _limit(resource.RLIMIT_AS, _ADDRESS_SPACE)


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))
