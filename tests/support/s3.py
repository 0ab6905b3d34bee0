"""An S3 server on this machine, and the environment that points clients to it."""

import contextlib
import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import obstore
from obstore.store import S3Store

BUCKET = "bucket"


@dataclass(frozen=True)
class S3:
    """A running server with one empty bucket."""

    url: str


def put(objects: Mapping[str, bytes]) -> None:
    """Write objects by key into the bucket of the server that the environment points to."""
    store = S3Store(BUCKET, client_options={"allow_http": True})
    for key, content in objects.items():
        obstore.put(store, key, content)


@contextlib.contextmanager
def serve() -> Iterator[S3]:
    """Run the server, and point this process's environment to it, until the block ends."""
    with warnings.catch_warnings():
        # Its own dependencies warn when they are imported.
        warnings.simplefilter("ignore")
        from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        with _environment(url):
            _make_bucket(url)
            yield S3(url)
    finally:
        server.stop()


@contextlib.contextmanager
def _environment(url: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "us-east-1",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _make_bucket(url: str) -> None:
    import httpx2

    # moto imports what a request needs when the first one comes, which takes its time on a cold disk.
    httpx2.put(f"{url}/{BUCKET}", timeout=60).raise_for_status()
