"""A download that was cut by its process's death is gone on with by the next one."""

import contextlib
import http.server
import ipaddress
import multiprocessing
import os
import re
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from extractor_artifacts import digest
from extractor_artifacts.blobs import BlobStore
from extractor_artifacts.fetch import MAX_BYTES
from extractor_artifacts.sources import AddressPolicy, DigestMismatch, FetchedSource
from support import fetching, operators

pytestmark = pytest.mark.integration

_FORKSERVER = multiprocessing.get_context("forkserver")
BODY = os.urandom(1 << 20)
HALF = len(BODY) // 2
DIGEST = digest.of_bytes(BODY)
HERE = AddressPolicy((ipaddress.ip_network("127.0.0.0/8"),))


@dataclass
class Server:
    """Serves one body, by ranges if it is told to, and holds the second half back until it may finish."""

    url: str = ""
    takes_ranges: bool = True
    may_finish: threading.Event = field(default_factory=threading.Event)
    asked: list[str | None] = field(default_factory=list)
    """The ranges that were asked for."""


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers["Range"]
            served.asked.append(asked)
            first = int(re.findall(r"\d+", asked)[0]) if asked and served.takes_ranges else 0
            self.send_response(206 if first else 200)
            self.send_header("Content-Length", str(len(BODY) - first))
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(BODY) - 1}/{len(BODY)}")
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(BODY[first:HALF])
                served.may_finish.wait(60)
                self.wfile.write(BODY[max(first, HALF) :])

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        served.url = f"http://127.0.0.1:{listening.server_port}/archive.zip"
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield served
        finally:
            served.may_finish.set()
            listening.shutdown()
            thread.join()


def part(root: Path) -> Path:
    begun = BlobStore(root / "blobs").begun(DIGEST, root / "archive.zip")
    assert begun is not None
    return begun.path


def fetch(root: Path, server: Server, wanted: str = DIGEST) -> FetchedSource:
    return fetching.fetch_into(root, server.url, wanted, HERE)


def die_half_way(root: Path, server: Server) -> None:
    """Kill a process that has fetched half of it."""
    process = _FORKSERVER.Process(target=fetching.fetch_into, args=(root, server.url, DIGEST, HERE))
    process.start()
    operators.eventually(
        lambda: part(root).stat().st_size if part(root).exists() else 0, lambda size: size == HALF
    )
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    server.may_finish.set()


def files(root: Path) -> set[str]:
    return {path.name for path in root.rglob("*") if path.is_file()}


def assert_whole(root: Path, fetched: FetchedSource) -> None:
    assert (fetched.digest, fetched.size) == (DIGEST, len(BODY))
    assert (root / "archive.zip").read_bytes() == BODY
    assert files(root) == {"archive.zip", "lock", digest.digits(DIGEST)}


def test_only_what_is_missing_is_fetched_after_a_death(tmp_path: Path, server: Server) -> None:
    die_half_way(tmp_path, server)

    assert_whole(tmp_path, fetch(tmp_path, server))
    assert server.asked == [None, f"bytes={HALF}-"]


def test_a_server_without_ranges_is_read_from_the_start(tmp_path: Path, server: Server) -> None:
    die_half_way(tmp_path, server)
    server.takes_ranges = False

    assert_whole(tmp_path, fetch(tmp_path, server))


def test_what_is_left_of_other_bytes_is_fetched_anew(tmp_path: Path, server: Server) -> None:
    server.may_finish.set()
    part(tmp_path).write_bytes(b"other")

    assert_whole(tmp_path, fetch(tmp_path, server))
    assert server.asked == ["bytes=5-", None]


def test_what_is_left_that_is_larger_than_it_may_be_is_fetched_anew(tmp_path: Path, server: Server) -> None:
    server.may_finish.set()
    part(tmp_path).touch()
    os.truncate(part(tmp_path), MAX_BYTES + 1)

    assert_whole(tmp_path, fetch(tmp_path, server))
    assert server.asked == [None]


def test_two_that_fetch_the_same_at_once_do_not_meet(tmp_path: Path, server: Server) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    blobs = tmp_path / "blobs"
    blobs.mkdir()
    for root in (one, other):
        root.mkdir()
        (root / "blobs").symlink_to(blobs)
    first = _FORKSERVER.Process(target=fetching.fetch_into, args=(one, server.url, DIGEST, HERE))
    first.start()
    operators.eventually(lambda: len(server.asked), lambda count: count == 1)
    server.may_finish.set()

    assert fetch(other, server).digest == DIGEST
    first.join(60)
    assert first.exitcode == 0
    assert (one / "archive.zip").read_bytes() == (other / "archive.zip").read_bytes() == BODY


def test_bytes_that_are_not_what_they_should_be_are_not_kept(tmp_path: Path, server: Server) -> None:
    server.may_finish.set()

    with pytest.raises(DigestMismatch):
        fetch(tmp_path, server, digest.of_bytes(b"other"))

    assert not [name for name in files(tmp_path) if name.endswith(".part")]


def test_a_sweep_removes_what_nobody_goes_on_with(tmp_path: Path, server: Server) -> None:
    die_half_way(tmp_path, server)
    blobs = BlobStore(tmp_path / "blobs")

    assert blobs.sweep((), older_than=3600) == []
    assert part(tmp_path).exists()
    assert blobs.sweep((), older_than=-1) == []
    assert not part(tmp_path).exists()
