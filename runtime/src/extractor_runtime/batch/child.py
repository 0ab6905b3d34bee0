"""A process of its own for the author's steps: its death is seen at once, with how it died and where.

`Child` is the handle; `child_main` is what runs in it. Blocks go there and back as Arrow, over a socket that
nobody else has.
"""

import contextlib
import functools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from typing import Any, Literal

import orjson
import pyarrow as pa

from extractor_runtime import errors, places
from extractor_runtime.batch import memory
from extractor_runtime.batch.stage import StageConfig

READY, CALLING, DONE = b"r", b"c", b"d"
"""First bytes of what the child sends: its processors are made, it calls one, a block is done."""

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 30.0
_TRACE_BYTES = 64 * 1024

Moment = Literal["created", "called"]


class ChildDied(Exception):
    """The process ended before its work did."""

    def __init__(self, reason: str, *, moment: Moment, step: str, location: str | None) -> None:
        super().__init__(reason)
        self.reason = reason
        """``SIGSEGV``, ``exit code 3``."""
        self.moment = moment
        self.step = step
        """The processor that was called."""
        self.location = location


class Child:
    """One process with the processors of one stage; it ends with this one, whatever happens."""

    def __init__(
        self, config: StageConfig, *, memory_limit: int | None = None, grace: float = _GRACE_SECONDS
    ) -> None:
        """Start it, and wait until its processors are made.

        Raises ChildDied when it dies, or takes more than ``memory_limit`` bytes, and Overdue when it hangs:
        when it says nothing for ``grace`` seconds longer than the author's deadline, which it watches itself.
        """
        self._config = config
        self._seconds = config.run.batch_timeout + grace
        self._memory_limit = memory_limit
        self._step, self._location = "pipeline", None
        self._moment: Moment = "created"
        self._opened = contextlib.ExitStack()
        self._trace = self._opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        connection, theirs = Pipe()
        self._connection: Connection[Any, Any] = self._opened.enter_context(connection)
        with theirs:
            fds = (theirs.fileno(), self._trace.fileno())
            command = [sys.executable, "-u", "-P", "-m", "extractor_runtime.batch.child_main", *map(str, fds)]
            # A session of its own: what the author's code starts and leaves behind is ended with it.
            self._process = subprocess.Popen(
                [*command, str(os.getpid())], pass_fds=fds, stdin=subprocess.DEVNULL, start_new_session=True
            )
        self._opened.callback(self._kill)
        try:
            self._ask(functools.partial(self._connection.send, config), READY, "the pipeline")
        except BaseException:
            self.close()
            raise
        self._moment = "called"

    def run(self, block: pa.Table) -> pa.Table:
        """Send a block through the steps. Raises as the constructor does; the child is of no use after."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, block.schema) as writer:
            writer.write_table(block)
        send = functools.partial(self._connection.send_bytes, sink.getvalue())
        answer = self._ask(send, DONE, f"a batch of {block.num_rows} rows")
        return pa.ipc.open_stream(pa.py_buffer(answer)).read_all()

    def close(self) -> None:
        """End the process and what it has started; may be called twice."""
        self._opened.close()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _ask(self, send: Callable[[], None], wanted: bytes, what: str) -> bytes:
        try:
            send()
            while True:
                kind, content = self._next(what)
                if kind == wanted:
                    return content
                self._step, self._location = orjson.loads(content)
        except (EOFError, OSError):
            raise self._death() from None

    def _next(self, what: str) -> tuple[bytes, bytes]:
        end = time.monotonic() + self._seconds
        while not self._connection.poll(_POLL_SECONDS):
            # Not by the end of the connection alone: what the author has forked may hold it open.
            if self._process.poll() is not None:
                raise self._death()
            if self._memory_limit is not None:
                self._check_memory(self._memory_limit)
            if time.monotonic() > end:
                location = self._location
                self.close()
                raise errors.Overdue(
                    f"{what} did not come back within {self._seconds:g} s and was given up", location
                )
        message = self._connection.recv_bytes()
        return message[:1], message[1:]

    def _check_memory(self, limit: int) -> None:
        held = memory.resident_bytes(self._process.pid)
        if held is not None and held > limit:
            raise self._death(
                f"it held {held / 2**30:.1f} GiB of memory, more than the {limit / 2**30:.1f} left"
            )

    def _death(self, reason: str | None = None) -> ChildDied:
        if reason is None:
            # The connection may end a moment before its process.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
        code = self._process.poll()
        location = self._traced() or self._location
        self.close()
        return ChildDied(reason or _spell(code), moment=self._moment, step=self._step, location=location)

    def _traced(self) -> str | None:
        """Find the author's line in what Python wrote of a crash."""
        self._trace.seek(0)
        text = self._trace.read(_TRACE_BYTES).decode(errors="replace")
        return places.of_trace(text, self._config.tree.root, innermost_first=True)


def _spell(code: int | None) -> str:
    if code is None:
        return "it closed its connection"
    if code >= 0:
        return f"exit code {code}"
    if -code not in set(signal.Signals):
        return f"signal {-code}"
    name = signal.Signals(-code).name
    return f"{name} (out of memory?)" if name == "SIGKILL" else name
