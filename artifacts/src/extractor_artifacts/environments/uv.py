"""Call uv: nothing of this process's environment reaches it but what it needs, and it ends in time."""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from extractor_apis.packages import PackageIndex
from extractor_artifacts.environments import complaint
from extractor_artifacts.environments.cache import Cache, Limits
from extractor_artifacts.environments.errors import DependencyConflict, EnvironmentFailed
from extractor_artifacts.environments.python import Python
from extractor_artifacts.errors import ArtifactError

PASSED_ON = (
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR"),
)
"""How this machine reaches others."""

_STDERR_BYTES = 64 << 10
_CREDENTIALS_BYTES = 4096
_TICK_SECONDS = 0.2


def compile_command(constraints: Path, runtime: Path, into: Path) -> list[str]:
    """Say how to resolve the requirements on stdin to pins with hashes."""
    return [
        *("pip", "compile", "-", "--output-file", str(into), "--generate-hashes"),
        *("--no-header", "--no-annotate"),
        *("--constraints", str(constraints), "--find-links", str(runtime)),
    ]


def install_command(pins: Path, into: Path) -> list[str]:
    """Say how to install pins with hashes, and nothing else."""
    return [
        *("pip", "install", "--target", str(into), "--requirements", str(pins)),
        *("--require-hashes", "--no-deps", "--compile-bytecode", "--link-mode", "hardlink"),
    ]


def command(verb: Sequence[str], python: Python, cache: Cache) -> list[str]:
    """Add to a command what holds for each."""
    index = cache.index
    return [
        *(_find(), *verb),
        # Building from source runs the code of whoever published it.
        *("--only-binary", ":all:", "--no-config", "--no-python-downloads", "--no-progress", "--quiet"),
        *("--color", "never", "--cache-dir", str(cache.uv), "--python", str(python.executable)),
        *(("--python-platform", python.platform) if python.platform else ()),
        *(("--find-links", str(index.wheels)) if index.wheels else ()),
        *(("--no-index",) if index.offline else ()),
    ]


def environment(index: PackageIndex, variables: Mapping[str, str]) -> dict[str, str]:
    """Give uv's own variables: a command line, other than these, is for all of the machine to read."""
    given = {name: variables[name] for name in PASSED_ON if name in variables}
    # A compiler of bytecode that hangs on hostile code must not take the whole deadline.
    given |= {"UV_COMPILE_BYTECODE_TIMEOUT": "60"}
    # Valid whatever the time of the source: an environment travels without times, and nobody changes it.
    given |= {"PYC_INVALIDATION_MODE": "UNCHECKED_HASH"}
    if index.url and not index.offline:
        given["UV_DEFAULT_INDEX"] = _with_credentials(index.url, index.credentials)
    return given


def run(verb: Sequence[str], python: Python, cache: Cache, *, stdin: str = "", lock: int) -> None:
    """Run uv to its end, and raise what it complains of: DependencyConflict or EnvironmentFailed.

    It inherits the descriptor of the lock: whoever waits for that waits for uv, too, when we are killed.
    """
    variables = environment(cache.index, os.environ)
    # Files, because a pipe that nobody reads from would stop uv.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(stdin.encode())
        given.seek(0)
        process = subprocess.Popen(
            command(verb, python, cache),
            stdin=given,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=variables,
            pass_fds=(lock,),
            start_new_session=True,
        )
        with _ended(process):
            _limit(process.pid, cache.limits)
            code = _watch(process, cache)
        if code > 0:
            raise complaint.read(_head(said))
        if code < 0:
            raise _killed(-code, cache.limits)


def _find() -> str:
    with contextlib.suppress(ImportError, FileNotFoundError):
        import uv

        return os.fspath(uv.find_uv_bin())
    found = shutil.which("uv")
    if found is None:
        raise EnvironmentFailed(
            "uv is not installed: install it, or the extra `environments` of extractor-artifacts"
        )
    return found


def _with_credentials(url: str, file: Path | None) -> str:
    if file is None:
        return url
    try:
        with file.open("rb") as opened:
            user, colon, password = opened.read(_CREDENTIALS_BYTES).decode().strip().partition(":")
    except (OSError, UnicodeDecodeError) as err:
        raise EnvironmentFailed(f"cannot read the index's credentials in {file}: check the file") from err
    if not colon:
        raise EnvironmentFailed(f"{file} holds no `user:password` for the package index: write it so")
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{urllib.parse.quote(user, '')}:{urllib.parse.quote(password, '')}@{rest}"


@contextlib.contextmanager
def _ended(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Leave no process of uv's behind, whatever happens here."""
    try:
        yield
    finally:
        # Its group is its own: the workers that compile are of it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _limit(pid: int, limits: Limits) -> None:
    # Only Linux has it, and set from outside: code between fork and exec is not safe among threads.
    if hasattr(resource, "prlimit"):
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (limits.bytes, limits.bytes))


def _watch(process: "subprocess.Popen[bytes]", cache: Cache) -> int:
    deadline = time.monotonic() + cache.limits.seconds
    while True:
        try:
            return process.wait(_TICK_SECONDS)
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline:
                raise EnvironmentFailed(
                    f"uv took longer than {cache.limits.seconds:g} s: the package index is slow; "
                    "try again, or allow more time"
                ) from None
            if shutil.disk_usage(cache.root).free < cache.limits.free_bytes:
                raise EnvironmentFailed(
                    f"the disk of {cache.root} has less than {cache.limits.free_bytes:,} bytes left: "
                    "free some, or give it more"
                ) from None


def _killed(number: int, limits: Limits) -> ArtifactError:
    if number == signal.SIGXFSZ:
        return DependencyConflict(
            f"the dependencies have a file of more than {limits.bytes:,} bytes: depend on smaller ones"
        )
    return EnvironmentFailed(f"uv died of signal {number}: try again")


def _head(said: IO[bytes]) -> str:
    said.seek(0)
    return said.read(_STDERR_BYTES).decode(errors="replace")
