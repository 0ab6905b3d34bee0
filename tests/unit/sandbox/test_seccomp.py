"""A filter is a list of instructions that decides as it was written down."""

import errno
import struct
from collections.abc import Sequence

import pytest

from extractor_sandbox import seccomp, syscalls
from extractor_sandbox.seccomp import ALLOW, KILL, Filter, Only, refuse

FILTER = Filter(
    default=refuse(errno.ENOSYS),
    calls={"read": ALLOW, "ptrace": refuse()},
    only=(
        Only("openat", 2, (0,), mask=0b11),
        Only("ioctl", 1, (5, 7)),
        Only("socket", 0, (3, 4), refused=True),
    ),
)


def decide(
    name: str, *arguments: int, architecture: int | None = None, number: int | None = None
) -> int | None:
    """Run a filter as the kernel does, for a call with some arguments."""
    numbers = syscalls.number(name) if number is None else number, architecture
    call = struct.pack(
        "<IIQ6Q", numbers[0], numbers[1] or syscalls.audit_architecture(), 0, *(*arguments, *[0] * 6)[:6]
    )
    return _run(seccomp.assemble(FILTER), call)


def _run(code: Sequence[bytes], call: bytes) -> int | None:
    at = held = 0
    while at < len(code):
        kind, if_true, if_false, value = struct.unpack("HBBI", code[at])
        at += 1
        match kind:
            case 0x06:
                return int(value)
            case 0x20:
                (held,) = struct.unpack_from("<I", call, value)
            case 0x54:
                held &= value
            case 0x15:
                at += if_true if held == value else if_false
            case 0x35:
                at += if_true if held >= value else if_false
    return None


@pytest.mark.parametrize(
    ("name", "arguments", "want"),
    [
        pytest.param("read", (), ALLOW, id="a call that is allowed"),
        pytest.param("ptrace", (), refuse(), id="a call that is refused"),
        pytest.param("mount", (), refuse(errno.ENOSYS), id="a call that is not named"),
        pytest.param("openat", (0, 0, 0b100), ALLOW, id="flags that the mask passes over"),
        pytest.param("openat", (0, 0, 0b101), refuse(), id="flags that it looks at"),
        pytest.param("ioctl", (9, 5), ALLOW, id="the first of two values"),
        pytest.param("ioctl", (9, 7), ALLOW, id="the second of two values"),
        pytest.param("ioctl", (9, 6), refuse(), id="a value between them"),
        pytest.param("ioctl", (9, 5 | 1 << 32), ALLOW, id="bits that the kernel does not take, either"),
        pytest.param("socket", (3,), refuse(), id="the first value that is refused"),
        pytest.param("socket", (4,), refuse(), id="the second value that is refused"),
        pytest.param("socket", (1,), ALLOW, id="another value than those refused"),
    ],
)
def test_a_call_is_decided_by_its_name_and_arguments(
    name: str, arguments: tuple[int, ...], want: int
) -> None:
    assert decide(name, *arguments) == want


def test_a_call_of_another_architecture_kills() -> None:
    assert decide("read", architecture=0x40000003) == KILL


def test_a_call_of_the_x32_interface_kills() -> None:
    assert decide("read", number=0x40000000) == KILL
