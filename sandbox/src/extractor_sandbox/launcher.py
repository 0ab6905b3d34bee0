"""Start a process that may be up to anything, and be rid of it in the end.

It has descriptors that it is given, an environment of its own and no terminal. When its time is over it is
killed, and with it all that is left of its session.
"""

import contextlib
import functools
import json
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from extractor_apis.errors import ExtractorError
from extractor_sandbox.fork import Fork

Program = Sequence[str] | Callable[[str], int | None]
"""A command, or a function of ours that a copy of this process calls; either is told its options as text."""

_NO_ENVIRONMENT: Mapping[str, str] = MappingProxyType({})
_ANSWER_BYTES = 8 << 20
_ERROR_BYTES = 4 << 10
_PIECE = 64 << 10


class StartError(ExtractorError):
    """A process that could not be started."""


class Child:
    """A process that was started, and is not to be trusted."""

    def __init__(self, process: subprocess.Popen[bytes] | Fork) -> None:
        self._process = process
        self._is_over = False

    def wait(self, deadline: float) -> bool:
        """Wait until it is over, or until ``time.monotonic()`` reaches the deadline; tell which."""
        left = max(0.0, deadline - time.monotonic())
        if not self._is_over and self._ends_within(left):
            self.end()
        return self._is_over

    def end(self) -> None:
        """Kill it, and what is left of its session; nothing happens when it is over already."""
        if self._is_over:
            return
        # Before it is waited for, or its number might be another's already.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._is_over = True

    def describe_end(self, errors: int | None = None) -> str | None:
        """Say how it ended if not well, with the last line of the file that was its standard error."""
        status = self._process.wait()
        if status == 0:
            return None
        if status < 0:
            return f"it was killed by signal {-status} ({signal.strsignal(-status)})"
        if errors is None:
            return f"it failed with status {status}"
        start = max(0, os.fstat(errors).st_size - _ERROR_BYTES)
        tail = os.pread(errors, _ERROR_BYTES, start).decode(errors="replace")
        last = (tail.strip().splitlines() or ["it said nothing"])[-1]
        return f"it failed with status {status}: {ascii(last)[1:-1][:200]}"

    def _ends_within(self, seconds: float) -> bool:
        try:
            descriptor = os.pidfd_open(self._process.pid)
        except (AttributeError, OSError):  # macOS, and Linux before 5.3.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
            return self._process.returncode is not None
        try:
            # Popen's own waiting looks again after up to 50 ms, which is half a scan.
            waiting = select.poll()
            waiting.register(descriptor, select.POLLIN)
            return bool(waiting.poll(seconds * 1000))
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def start(
    command: Sequence[str],
    *,
    stdin: int,
    stdout: int,
    stderr: int | None,
    kept: Sequence[int] = (),
    environment: Mapping[str, str] = _NO_ENVIRONMENT,
    folder: str = "/",
) -> Iterator[Child]:
    """Start a command in a session of its own, of which nothing is left afterwards. Raises StartError."""
    try:
        process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=tuple(kept),
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
    except OSError as err:
        # Its arguments may be too long: those of a scan hold the names of all dependencies that are allowed.
        raise StartError(f"{command[0]} cannot be started: {err.strerror}") from err
    with _watched(process) as child:
        yield child


@contextlib.contextmanager
def _watched(process: subprocess.Popen[bytes] | Fork) -> Iterator[Child]:
    with process:
        child = Child(process)
        try:
            yield child
        finally:
            child.end()


def lines(descriptor: int, deadline: float) -> Iterator[bytes]:
    """Read lines from a pipe as they come, until its end or ``time.monotonic()`` reaches the deadline.

    A line that is too long to be an answer is the last.
    """
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    begun = b""
    while waiting.poll(max(0.0, deadline - time.monotonic()) * 1000):
        piece = os.read(descriptor, _PIECE)
        *whole, begun = (begun + piece).split(b"\n")
        yield from whole
        if not piece or len(begun) > _ANSWER_BYTES:
            return


@dataclass(frozen=True)
class Question:
    """What a process was asked, whose answer is on its way."""

    child: Child
    deadline: float
    _answer: int
    _errors: int

    def is_over_within(self, seconds: float) -> bool:
        """Wait for a moment; tell whether it has ended, or has to."""
        now = time.monotonic()
        return self.child.wait(min(now + seconds, self.deadline)) or now > self.deadline

    def answer(self) -> tuple[str | None, bytes]:
        """Wait for the end: how it ended if not well, and what it had said until then."""
        if self.child.wait(self.deadline):
            end = self.child.describe_end(self._errors)
        else:
            self.child.end()
            end = "it took too long"
        return end, os.pread(self._answer, _ANSWER_BYTES, 0)


@contextlib.contextmanager
def ask(
    program: Program,
    options: Mapping[str, object],
    *,
    stdin: int,
    files: Mapping[str, int],
    folder: Path,
    seconds: float,
) -> Iterator[Question]:
    """Start a program, tell it options, and let it write an answer to standard output.

    ``files`` are open descriptors, told among the options. It takes ``seconds`` at most. What it says is kept
    in ``folder``, in files without a name.
    """
    deadline = time.monotonic() + seconds
    told = json.dumps({**options, **files, "seconds": seconds})
    with (
        tempfile.TemporaryFile(dir=folder) as answer,
        tempfile.TemporaryFile(dir=folder) as errors,
        _start(program, told, stdin, answer.fileno(), errors.fileno(), tuple(files.values())) as child,
    ):
        yield Question(child, deadline, answer.fileno(), errors.fileno())


def _start(
    program: Program, told: str, stdin: int, stdout: int, stderr: int, kept: tuple[int, ...]
) -> contextlib.AbstractContextManager[Child]:
    if callable(program):
        call = functools.partial(program, told)
        return _watched(Fork(call, stdin=stdin, stdout=stdout, stderr=stderr, kept=kept))
    return start([*program, told], stdin=stdin, stdout=stdout, stderr=stderr, kept=kept)
