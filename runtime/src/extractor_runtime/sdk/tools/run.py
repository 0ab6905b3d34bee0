"""Run one of the tools: no shell, no secrets, no more time and output than allowed, and never left behind."""

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from os import PathLike

from extractor_runtime.sdk.assets import scratch
from extractor_runtime.sdk.tools import arguments, binaries
from extractor_runtime.sdk.tools.errors import ToolError

MAX_OUTPUT = 64 * 1024 * 1024
"""Bytes that a tool may print, unless the caller says otherwise."""

_MAX_STDERR = 64 * 1024
_CHUNK = 256 * 1024
_SHOWN = 500
# Which processors and GPU the worker may use holds for its tools; every other variable may be a secret.
_PASSED_ON = ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "TZ")
# Nothing listens there: a library that tries to follow an address in a file fails at once.
_NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class ToolResult:
    """What a tool answered."""

    returncode: int
    stdout: bytes
    stderr: bytes
    """Its last 64 KiB."""


def run_tool(
    tool: str,
    args: Iterable[str | PathLike[str]],
    *,
    input: bytes | None = None,
    timeout: float = 60.0,
    cwd: str | PathLike[str] | None = None,
    check: bool = True,
    max_output: int = MAX_OUTPUT,
) -> ToolResult:
    """Run ffmpeg, ffprobe, exiftool, mediainfo, convert, identify, sox, soxi, REDline or art-cmd.

    ``input`` goes to its standard input, which is empty otherwise. Raises ToolError when the tool is missing,
    an argument is refused, it takes longer than ``timeout`` seconds, prints more than ``max_output`` bytes,
    or fails (unless ``check`` is false), and ValueError for another tool. It ends with the thread that waits
    for it, so a killed worker leaves none behind. In async code, ``await asyncio.to_thread(run_tool, …)``.
    """
    binary = binaries.find(tool)
    given = arguments.checked(tool, args)
    deadline = time.monotonic() + timeout
    with tempfile.TemporaryDirectory(dir=scratch.folder(), ignore_cleanup_errors=True) as home:
        process = _start([*_leash(), binary, *given], tool, home, cwd, has_input=input is not None)
        with process:
            try:
                stdout, stderr = _converse(process, tool, input or b"", deadline, max_output)
                returncode = process.wait(max(0.0, deadline - time.monotonic()))
            except (TimeoutError, subprocess.TimeoutExpired):
                raise ToolError(
                    f"{tool} did not finish within {timeout:g} s and was ended: give it less or more time"
                ) from None
            finally:
                if process.returncode is None:
                    _kill(process)
    if check and returncode != 0:
        raise ToolError(_failure(tool, returncode, stderr), returncode, stderr)
    return ToolResult(returncode, stdout, stderr)


def _leash() -> list[str]:
    """Give the command that has the kernel end the tool with the thread that started it, if there is one.

    `preexec_fn` would do it too, by forking a worker that has threads and a model in memory.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return [setpriv, "--pdeathsig", "KILL", "--no-new-privs", "--"] if setpriv else []


def _start(
    command: list[str], tool: str, home: str, cwd: str | PathLike[str] | None, has_input: bool
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE if has_input else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=cwd,
            env=_environment(home),
            start_new_session=True,
        )
    except OSError as err:
        raise ToolError(f"{tool} could not be started: {err.strerror or err}") from err


def _environment(home: str) -> dict[str, str]:
    proxies = {f"{scheme}_proxy": _NOWHERE for scheme in ("http", "https", "ftp", "all")}
    return {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        **proxies,
        "PATH": binaries.search_path(),
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "MAGICK_CONFIGURE_PATH": str(resources.files(__package__)),
    }


def _converse(
    process: subprocess.Popen[bytes], tool: str, given: bytes, deadline: float, max_output: int
) -> tuple[bytes, bytes]:
    """Write the input and read what is printed, until the tool closes both its outputs."""
    assert process.stdout is not None and process.stderr is not None
    left = memoryview(given)
    stdout, stderr = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, stdout)
        selector.register(process.stderr, selectors.EVENT_READ, stderr)
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin, selectors.EVENT_WRITE)
        reading = 2
        while reading:
            if time.monotonic() >= deadline:
                raise TimeoutError
            for key, _ in selector.select(deadline - time.monotonic()):
                if key.data is None:
                    left = _write(key.fd, left)
                    if not left and process.stdin is not None:
                        selector.unregister(process.stdin)
                        process.stdin.close()
                    continue
                chunk = os.read(key.fd, _CHUNK)
                key.data.extend(chunk)
                if not chunk:
                    selector.unregister(key.fileobj)
                    reading -= 1
            del stderr[:-_MAX_STDERR]
            if len(stdout) > max_output:
                raise ToolError(
                    f"{tool} printed more than {max_output:,} bytes and was ended: "
                    "let it write into a file, or raise max_output"
                )
    return bytes(stdout), bytes(stderr)


def _write(descriptor: int, left: memoryview) -> memoryview:
    try:
        return left[os.write(descriptor, left[:_CHUNK]) :]
    except BlockingIOError:
        return left
    except BrokenPipeError:
        # It has read enough: how it ends tells whether that was right.
        return left[:0]


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _failure(tool: str, returncode: int, stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    said = " / ".join(lines[-3:])[-_SHOWN:] or "it said nothing"
    ended = f"failed with code {returncode}" if returncode > 0 else f"was ended by signal {-returncode}"
    return f"{tool} {ended}: {said}"
