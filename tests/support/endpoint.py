"""Start an endpoint in a process of its own, as the command does, and look at the processes it consists of.

Run as a program it serves the archive in the folder given, prints the URL, and goes on until its input ends.
"""

import collections
import contextlib
import hashlib
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from extractor_apis.errors import ExtractorError
from extractor_apis.manifest import Manifest
from extractor_apis.services import SecretReference, Services
from extractor_runtime import loader
from extractor_runtime.realtime import serve

MANIFEST = Manifest.from_names(
    {
        "name": "tiny",
        "version": "1.0.0",
        "features": [{"name": "vector", "type": "vector", "dimensions": 2, "distance": "dot"}],
    }
)
SERVICES = Services(secrets={"GREETING": SecretReference(env="TINY_GREETING")})
_LISTENING = "0A"


@contextlib.contextmanager
def running(folder: Path, source: str, **options: str) -> Iterator[subprocess.Popen[str]]:
    """Serve an archive with that ``realtime.py``; its output begins with the URL, or what went wrong."""
    (folder / "realtime.py").write_text(source)
    arguments = [f"{name}={value}" for name, value in options.items()]
    process = subprocess.Popen(
        [sys.executable, __file__, str(folder), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    """Wait for what the endpoint says first."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def family(root: int) -> dict[int, str]:
    """Find the living processes that descend from one, with their command lines."""
    children = collections.defaultdict(list)
    for pid in _pids():
        with contextlib.suppress(OSError):
            children[_status(pid)[1]].append(pid)
    found, todo = {}, [root]
    while todo:
        pid = todo.pop()
        todo += children[pid]
        with contextlib.suppress(OSError):
            found[pid] = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return found


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits for its parent's notice does not."""
    try:
        return _status(pid)[0] not in "ZX"
    except OSError:
        return False


def listening(pid: int) -> set[tuple[str, int]]:
    """Find the IPv4 addresses that a process listens on."""
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    inodes = {f"socket:[{row[9]}]": row[1] for row in rows if row[3] == _LISTENING}
    links = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    return {_address(inodes[link]) for link in links & inodes.keys()}


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Wait until something is true; False when it is not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _status(pid: int) -> tuple[str, int]:
    state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    return state, int(parent)


def _address(text: str) -> tuple[str, int]:
    host, port = text.split(":")
    return socket.inet_ntoa(struct.pack("<I", int(host, 16))), int(port, 16)


def _main(folder: str, *options: str) -> int:
    given = dict(option.split("=") for option in options)
    digest = hashlib.sha256(folder.encode()).hexdigest()
    try:
        with serve.start(
            loader.Tree(Path(folder), f"sha256:{digest}"),
            MANIFEST,
            services=SERVICES,
            port=int(given.get("port", 0)),
            request_seconds=float(given.get("request_seconds", 60)),
        ) as endpoint:
            print(endpoint.url, flush=True)
            sys.stdin.read()
    except ExtractorError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
