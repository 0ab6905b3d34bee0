"""What pods fetch and hand in, each by a capability for one verb on one version.

Files go out by the kernel; what comes in is counted and hashed on the way, and appears in the errand that it
is for, whole or not at all.
"""

import asyncio
import base64
import collections
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import hdrs, web

from extractor_apis.extractorversion import ExtractorVersion
from extractor_artifacts.spool import Spool
from extractor_operator.endpoint import answer
from extractor_operator.endpoint.answer import RETRY_SECONDS, Refused, Shelved
from extractor_operator.endpoint.capability import Capabilities, Verb
from extractor_operator.endpoint.errands import Errand, Errands

ARTIFACT = "artifact"
ENVIRONMENT = "environment"
SOURCE = "source"
ADVISORIES = "advisories"
CANONICAL = "canonical"
SCAN_REPORT = "report"
ENVIRONMENT_REPORT = "environment-report"

OFFERED = {
    ARTIFACT: Verb.READ,
    ENVIRONMENT: Verb.READ,
    SOURCE: Verb.SCAN,
    ADVISORIES: Verb.SCAN,
}
"""What is fetched, and by whom."""

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Wanted:
    """What is handed in, and by whom."""

    verb: Verb
    max_bytes: int
    is_last: bool = False
    """Whether the errand is done with it."""


WANTED = {
    # An archive of 500 MiB unpacked, stored without compression.
    CANONICAL: Wanted(Verb.SCAN, 600 << 20),
    SCAN_REPORT: Wanted(Verb.SCAN, 16 << 20, is_last=True),
    # 8 GiB installed, and a header for each file.
    ENVIRONMENT: Wanted(Verb.ENVIRONMENT, 9 << 30),
    ENVIRONMENT_REPORT: Wanted(Verb.ENVIRONMENT, 64 << 10, is_last=True),
}


@dataclass(frozen=True)
class Exchange:
    """Who may have what, and where it is."""

    capabilities: Capabilities
    errands: Errands
    find: Callable[[str, str], ExtractorVersion | None]
    """Finds a version by its namespace and uid."""
    shelved: Callable[[ExtractorVersion, str], Shelved | None]
    """Finds what is kept of a version. Blocks."""
    arrived: Callable[[ExtractorVersion], None]
    """Is told when an errand is done."""
    requests: int = 128
    """At a time; half of them for one namespace, so that no tenant keeps the others out."""
    _busy: collections.Counter[str] = field(default_factory=collections.Counter)
    """Requests at work, by namespace."""
    _uploads: set[Path] = field(default_factory=set)
    """What is being handed in."""

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Send what a version consists of, or what an errand takes along."""
        name = request.match_info["name"]
        verb = OFFERED.get(name)
        version, errand = self._admit(request, verb)
        with self._room(version):
            if verb is Verb.READ:
                shelved = await asyncio.to_thread(self.shelved, version, name)
            else:
                file = self._open(version, verb, errand).file(name)
                shelved = Shelved(file, f"{errand}/{name}") if file else None
            if shelved is None:
                said = f"{version.metadata.name} has no {name} yet, or none at all: see its status"
                raise Refused(404, "not-there", said)
            return await answer.send(request, shelved)

    async def put(self, request: web.Request) -> web.StreamResponse:
        """Take in what a Job brings."""
        name = request.match_info["name"]
        wanted = WANTED.get(name)
        version, errand = self._admit(request, wanted.verb if wanted else None)
        assert wanted is not None
        with self._room(version):
            folder = self._open(version, wanted.verb, errand).folder
            with self._alone(folder / name):
                await _receive(request, folder / name, wanted.max_bytes)
        if wanted.is_last:
            self.arrived(version)
        return web.Response(status=204)

    def _admit(self, request: web.Request, verb: Verb | None) -> tuple[ExtractorVersion, str]:
        """Find the version that is asked about, and the errand of who asks."""
        if verb is None:
            raise Refused(404, "no-such-path", "nothing of that name is exchanged here")
        namespace, uid = request.match_info["namespace"], request.match_info["uid"]
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        errand = self.capabilities.errand(token, namespace, uid, verb) if scheme == "Bearer" else None
        if errand is None:
            raise Refused(401, "unauthorized", "the capability is missing, or does not allow this")
        version = self.find(namespace, uid)
        if version is None:
            raise Refused(404, "version-gone", "the version is not there any more")
        return version, errand

    def _open(self, version: ExtractorVersion, verb: Verb | None, name: str) -> Errand:
        errand = self.errands.find(version.metadata.uid, verb) if verb else None
        if errand is None or errand.name != name:
            said = f"nobody waits for this {verb} of {version.metadata.name} any more"
            raise Refused(409, "errand-over", said)
        return errand

    @contextlib.contextmanager
    def _room(self, version: ExtractorVersion) -> Iterator[None]:
        tenant = version.metadata.namespace
        if self._busy.total() >= self.requests or self._busy[tenant] >= self.requests // 2:
            raise Refused(503, "busy", "too much is asked at once; try again", after=RETRY_SECONDS)
        self._busy[tenant] += 1
        try:
            yield
        finally:
            self._busy[tenant] -= 1
            if not self._busy[tenant]:
                del self._busy[tenant]

    @contextlib.contextmanager
    def _alone(self, path: Path) -> Iterator[None]:
        """Take one upload of a file at a time: each may be large, and a Job has no use for a second."""
        if path in self._uploads:
            said = f"{path.name} is being handed in already; try again"
            raise Refused(503, "busy", said, after=RETRY_SECONDS)
        self._uploads.add(path)
        try:
            yield
        finally:
            self._uploads.discard(path)


async def _receive(request: web.Request, into: Path, max_bytes: int) -> None:
    name, length, wanted = into.name, request.content_length, _content_digest(request)
    if length is None:
        raise Refused(411, "length-required", f"say how long {name} is: Content-Length")
    if length > max_bytes:
        raise Refused(413, "too-large", f"{name} has {length:,} bytes, and {max_bytes:,} are allowed")
    with Spool(into, origin=name, max_bytes=max_bytes) as spool:
        async for chunk in request.content.iter_chunked(_CHUNK):
            # Hashing and writing are not for the loop on which everything else runs.
            await asyncio.to_thread(spool.write, chunk)
        if spool.digest != wanted:
            raise Refused(400, "digest-mismatch", f"{name} is {spool.digest}, and was to be {wanted}")
        await asyncio.to_thread(spool.commit)


def _content_digest(request: web.Request) -> str:
    said = request.headers.get("Content-Digest", "")
    with contextlib.suppress(ValueError):
        if said.startswith("sha-256=:") and said.endswith(":"):
            return f"sha256:{base64.b64decode(said[9:-1], validate=True).hex()}"
    raise Refused(400, "digest-required", "say what the bytes are: Content-Digest: sha-256=:<base64>:")
