"""An OCI registry to test against: CNCF Distribution."""

import hashlib
import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

_PROGRAM = Path(__file__).parents[2] / ".cache/parts/registry/registry"
_START_SECONDS = 30
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_EMPTY = "application/vnd.oci.empty.v1+json"

Json = dict[str, Any]


@dataclass(frozen=True)
class Registry:
    """A running registry, and what clients such as cosign do with it."""

    host: str
    client: httpx2.Client

    def push(self, repository: str, tag: str, content: bytes, **fields: Any) -> str:
        """Push an artifact of one layer, and give the digest of its manifest."""
        layer = self._blob(repository, content, "application/zip", {})
        return self._manifest(repository, [layer], fields, tag)["digest"]

    def push_layers(self, repository: str, tag: str, layers: Mapping[bytes, str]) -> str:
        """Push an artifact of layers, contents with their media types, and give its manifest's digest."""
        described = [self._blob(repository, content, kind, {}) for content, kind in layers.items()]
        return self._manifest(repository, described, {}, tag)["digest"]

    def push_index(self, repository: str, tag: str, manifests: list[Json]) -> str:
        """Push an index of manifests that are there, each a descriptor without media type and size."""
        described = [{"mediaType": MANIFEST, "size": 1} | each for each in manifests]
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": described}
        content = json.dumps(index).encode()
        self._put(repository, tag, content, INDEX)
        return _digest(content)

    def attach(self, repository: str, subject: str, bundles: list[bytes], **fields: Any) -> None:
        """Do as `cosign sign`: make bundles refer to a manifest, and list them, as the registry does not."""
        kind = "application/vnd.dev.sigstore.bundle.v0.3+json"
        descriptors: dict[bytes, Json] = {}
        for content in dict.fromkeys(bundles):
            about = {"artifactType": kind, "subject": {"mediaType": MANIFEST, "digest": subject, "size": 1}}
            layer = self._blob(repository, content, kind, {})
            descriptors[content] = (
                self._manifest(repository, [layer], about) | {"artifactType": kind} | fields
            )
        index = {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [descriptors[content] for content in bundles],
        }
        self._put(repository, subject.replace(":", "-"), json.dumps(index).encode(), INDEX)

    def attach_simple(
        self, repository: str, subject: str, payload: bytes, annotations: Mapping[str, str]
    ) -> None:
        """Do as `cosign sign` did before version 3."""
        kind = "application/vnd.dev.cosign.simplesigning.v1+json"
        layer = self._blob(repository, payload, kind, annotations)
        self._manifest(repository, [layer], {}, f"{subject.replace(':', '-')}.sig")

    def _manifest(self, repository: str, layers: list[Json], fields: Json, tag: str | None = None) -> Json:
        config = self._blob(repository, b"{}", _EMPTY, {})
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers} | fields
        content = json.dumps(manifest).encode()
        self._put(repository, tag or _digest(content), content, MANIFEST)
        return {"mediaType": MANIFEST, "digest": _digest(content), "size": len(content)}

    def _blob(self, repository: str, content: bytes, kind: str, annotations: Mapping[str, str]) -> Json:
        upload = httpx2.URL(self._post(f"{repository}/blobs/uploads/").headers["Location"])
        digest = _digest(content)
        self.client.put(upload.copy_merge_params({"digest": digest}), content=content).raise_for_status()
        return {"mediaType": kind, "digest": digest, "size": len(content), "annotations": dict(annotations)}

    def _post(self, path: str) -> httpx2.Response:
        return self.client.post(f"http://{self.host}/v2/{path}").raise_for_status()

    def _put(self, repository: str, name: str, content: bytes, kind: str) -> None:
        url = f"http://{self.host}/v2/{repository}/manifests/{name}"
        self.client.put(url, content=content, headers={"Content-Type": kind}).raise_for_status()


@contextmanager
def oci_registry(folder: Path | None = None) -> Iterator[Registry]:
    """Run a registry; where it is missing the test is skipped, but fails in CI.

    It keeps everything in memory, or in a folder, which large artifacts need.
    """
    if not _PROGRAM.exists():
        missing = "no OCI registry: install Go and run `make registry`"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as config:
        host = f"127.0.0.1:{_free_port()}"
        settings = {
            "version": "0.1",
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(folder)}} if folder else {"inmemory": {}},
            "http": {"addr": host},
        }
        config.write(json.dumps(settings))
        config.flush()
        with subprocess.Popen([_PROGRAM, "serve", config.name], stderr=subprocess.DEVNULL) as server:
            try:
                _await_start(host, server)
                with httpx2.Client(timeout=60) as client:
                    yield Registry(host, client)
            finally:
                server.kill()


def _await_start(host: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            httpx2.get(f"http://{host}/v2/").raise_for_status()
            return
        except httpx2.TransportError:
            time.sleep(0.02)
    raise AssertionError(f"the registry did not start within {_START_SECONDS} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
