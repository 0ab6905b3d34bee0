"""seccomp: a filter over system calls, for a process and all that it starts, for good.

A small assembler of our own: pyseccomp needs the system's libseccomp, which slim images and laptops lack, and
looks for it by starting a compiler. The filter is a list of "is it this call? then that", and kernels since
5.11 remember what is always allowed, so its length costs nothing.
"""

import ctypes
import errno
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from extractor_sandbox import prctl, syscalls

ALLOW = 0x7FFF0000
KILL = 0x80000000

_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_JUMP_EQUAL, _JUMP_AT_LEAST = 0x15, 0x35
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_X32_CALLS = 0x40000000


def refuse(error: int = errno.EPERM) -> int:
    """Make an action: the call fails with an error, and does nothing."""
    return 0x00050000 | error


@dataclass(frozen=True)
class Only:
    """A call that is allowed only where an argument, as far as ``mask`` looks at it, has one of some values.

    With ``refused`` it is the other way round: those values are refused. The lower 32 bits are looked at: all
    that the kernel takes of flags, commands, families and process ids.
    """

    name: str
    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF
    refused: bool = False


@dataclass(frozen=True)
class Filter:
    """What becomes of each system call."""

    default: int
    calls: Mapping[str, int] = field(default_factory=dict)
    """Action by name."""
    only: tuple[Only, ...] = ()


def install(filter: Filter) -> None:
    """Have the kernel apply a filter to all threads of this process. Raises OSError."""
    code = b"".join(assemble(filter))
    program = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(program))
    prctl.set_no_new_privileges()
    if syscalls.call("seccomp", _SET_MODE_FILTER, _ALL_THREADS, ctypes.c_char_p(header)):
        raise OSError(errno.ESRCH, "seccomp: a thread could not be filtered")


def assemble(filter: Filter) -> list[bytes]:
    """Make the kernel's instructions. Raises OSError on a machine whose numbers are not known."""
    architecture = syscalls.audit_architecture()
    if architecture is None:
        raise OSError(errno.ENOSYS, "seccomp: the system calls of this machine are not known")
    return [
        *(_instruction(_LOAD, _ARCHITECTURE), _instruction(_JUMP_EQUAL, architecture, 1, 0)),
        _instruction(_RETURN, KILL),
        *(_instruction(_LOAD, _NUMBER), _instruction(_JUMP_AT_LEAST, _X32_CALLS, 0, 1)),
        _instruction(_RETURN, KILL),
        *_each(filter.calls.items()),
        *(instruction for only in filter.only for instruction in _conditional(only)),
        _instruction(_RETURN, filter.default),
    ]


def _each(actions: Iterable[tuple[str, int]]) -> Iterable[bytes]:
    for name, action in actions:
        if (number := syscalls.number(name)) is not None:
            yield _instruction(_JUMP_EQUAL, number, 0, 1)
            yield _instruction(_RETURN, action)


def _conditional(only: Only) -> Iterable[bytes]:
    number = syscalls.number(only.name)
    if number is None:
        return
    count = len(only.values)
    yield _instruction(_JUMP_EQUAL, number, 0, count + 4)
    yield _instruction(_LOAD, _ARGUMENTS + 8 * only.argument)
    yield _instruction(_AND, only.mask)
    for index, value in enumerate(only.values):
        yield _instruction(_JUMP_EQUAL, value, count - index, 0)
    yield _instruction(_RETURN, ALLOW if only.refused else refuse())
    yield _instruction(_RETURN, refuse() if only.refused else ALLOW)


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value & 0xFFFFFFFF)
