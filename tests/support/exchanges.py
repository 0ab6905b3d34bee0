"""The artifact endpoint on this machine, with a store in a folder and versions that a test knows."""

import asyncio
import base64
import contextlib
import hashlib
import http.client
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from extractor_apis.extractorversion import ExtractorVersion
from extractor_operator.endpoint import server
from extractor_operator.endpoint.answer import Shelved
from extractor_operator.endpoint.capability import Capabilities, Verb
from extractor_operator.endpoint.errands import Errands
from extractor_operator.endpoint.exchange import Exchange
from support import operators

_SECONDS = 20
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Answer:
    """What the endpoint answered."""

    status: int
    headers: dict[str, str]
    """With lower-case names."""
    body: bytes


@dataclass
class World:
    """A running endpoint."""

    folder: Path
    port: int = 0
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(b"k" * 32))
    versions: dict[tuple[str, str], ExtractorVersion] = field(default_factory=dict)
    """By namespace and uid."""
    shelves: dict[tuple[str, str], Shelved] = field(default_factory=dict)
    """What there is, by uid and name."""
    arrived: list[str] = field(default_factory=list)
    """Uids of the versions whose errands were done."""

    @property
    def errands(self) -> Errands:
        return Errands(self.folder / "errands")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, uid: str, namespace: str = "team") -> None:
        """Have a version."""
        self.versions[namespace, uid] = version(uid, namespace)

    def shelve(self, uid: str, name: str, content: bytes) -> str:
        """Have something of a version, and give its digest."""
        path = self.folder / f"{uid}-{name}"
        path.write_bytes(content)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.shelves[uid, name] = Shelved(path, digest)
        return digest

    def token(self, uid: str, verb: Verb, errand: str = "", namespace: str = "team") -> str:
        return self.capabilities.token(namespace, uid, verb, errand)

    def ask(
        self,
        method: str,
        path: str,
        token: str | None,
        body: bytes | None = None,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> Answer:
        """Ask once."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_SECONDS)
        with contextlib.closing(connection):
            said = {"Authorization": f"Bearer {token}"} if token is not None else {}
            connection.request(method, path, body, {**said, **headers})
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())

    def put(self, path: str, token: str, body: bytes) -> Answer:
        """Hand something in, as a Job does."""
        return self.ask("PUT", path, token, body, content_digest(body))


def version(uid: str, namespace: str = "team") -> ExtractorVersion:
    """Make a version that was never looked at."""
    item = operators.make_version("text", "https://example.com/text.zip")
    item["metadata"] |= {"namespace": namespace, "uid": uid}
    return ExtractorVersion.model_validate(item)


def content_digest(body: bytes) -> dict[str, str]:
    """Say what the bytes are."""
    return {"Content-Digest": f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"}


@contextlib.contextmanager
def run(
    folder: Path, *, seconds: float = _SECONDS, requests: int = 128, tls: ssl.SSLContext | None = None
) -> Iterator[World]:
    """Run an endpoint until the block ends."""
    world, loop = World(folder), asyncio.new_event_loop()
    started, stopping = threading.Event(), asyncio.Event()
    exchange = Exchange(
        world.capabilities,
        world.errands,
        find=lambda namespace, uid: world.versions.get((namespace, uid)),
        shelved=lambda version, name: world.shelves.get((version.metadata.uid, name)),
        arrived=lambda version: world.arrived.append(version.metadata.uid),
        requests=requests,
    )

    async def answer() -> None:
        async with server.serve(exchange, 0, host="127.0.0.1", seconds=seconds, tls=tls) as port:
            world.port = port
            started.set()
            await stopping.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(answer(),))
    thread.start()
    try:
        assert started.wait(_SECONDS)
        yield world
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
