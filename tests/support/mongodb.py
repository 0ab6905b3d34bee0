"""A MongoDB to test against: that of ``MONGODB_URI``, or a server in memory that speaks its protocol."""

import os
import select
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pymongo
import pytest

_ROOT = Path(__file__).parents[2]
_JARS = _ROOT / ".cache/parts/mongodb"
_SCRIPT = Path(__file__).parent / "parts/mongodb/serve.bsh"
_START_SECONDS = 30


@contextmanager
def mongodb_server() -> Iterator[str]:
    """Run a server, or use the given one, and yield its URI.

    Where parts are missing the test is skipped, but fails in CI.
    """
    given = os.environ.get("MONGODB_URI")
    if given:
        yield given
        return
    java = shutil.which("java")
    if java is None or not (_JARS / ".fetched").exists():
        missing = "no MongoDB: set MONGODB_URI, or install Java and Maven and run `make mongodb`"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    command = [
        java,
        "-Xshare:auto",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        f"{_JARS}/*",
        "bsh.Interpreter",
        str(_SCRIPT),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None and server.stdout is not None
        try:
            ready, _, _ = select.select([server.stdout], [], [], _START_SECONDS)
            port = server.stdout.readline().strip() if ready else ""
            assert port.isdigit(), f"the MongoDB server did not start within {_START_SECONDS} s"
            yield f"mongodb://127.0.0.1:{port}"
        finally:
            server.stdin.close()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()


@contextmanager
def fresh_database(server_uri: str) -> Iterator[str]:
    """Yield the URI of a database that holds nothing, and drop it at the end."""
    uri = urlsplit(server_uri)._replace(path=f"/test-{uuid.uuid4().hex[:12]}").geturl()
    yield uri
    with pymongo.MongoClient[dict[str, object]](uri) as client:
        client.drop_database(client.get_default_database())
