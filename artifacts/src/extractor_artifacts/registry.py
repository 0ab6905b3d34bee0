"""One repository of an OCI registry: manifests, blobs, and what refers to a manifest.

What is named by a digest is compared with it; what a tag leads to is named by its digest from then on.
"""

import re
import urllib.parse
from dataclasses import dataclass
from typing import Literal

import pydantic
from pydantic import BaseModel, Field
from pydantic.alias_generators import to_camel

from extractor_artifacts import digest as digests
from extractor_artifacts import download, urls, web
from extractor_artifacts.digest import Digest
from extractor_artifacts.errors import ArchiveTooLarge, DigestMismatch, NotFound, SourceRefused
from extractor_artifacts.registry_login import RegistryLogin
from extractor_artifacts.session import Answer, Session
from extractor_artifacts.spool import Spool

MAX_MANIFEST_BYTES = 4 * 1024 * 1024
"""What registries take at most."""

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
_DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
_ACCEPT = {"Accept": f"{_MANIFEST}, {_INDEX}, {_DOCKER}, {_DOCKER_INDEX}, */*;q=0.1"}
_REFERENCE = re.compile(
    r"oci://(?P<host>[a-zA-Z0-9.-]+(?::[0-9]{1,5})?|\[[0-9a-fA-F:]+\](?::[0-9]{1,5})?)"
    r"/(?P<name>[a-z0-9]+(?:(?:\.|_|__|-+|/)[a-z0-9]+)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True)
class Reference:
    """Where an artifact is: ``oci://host/repository:tag``, or ``@sha256:…``, which no tag overrides."""

    host: str
    repository: str
    tag: str
    digest: Digest | None

    def __str__(self) -> str:
        """Write it as it was read."""
        end = f"@{self.digest}" if self.digest else f":{self.tag}"
        return f"oci://{self.host}/{self.repository}{end}"


def parse(location: str) -> Reference:
    """Read a reference; raise SourceRefused if it is none."""
    match = _REFERENCE.fullmatch(location)
    if match is None or len(match["name"]) > 255:
        raise SourceRefused(f"{urls.redact(location)} names no OCI artifact: write oci://host/repository:tag")
    digest = digests.parse(match["digest"]) if match["digest"] else None
    return Reference(match["host"], match["name"], match["tag"] or "latest", digest)


class _Wire(BaseModel):
    model_config = {"alias_generator": to_camel}


class _Platform(BaseModel):
    os: str = ""
    architecture: str = ""


class Descriptor(_Wire):
    """What something else is called, and how large it is."""

    media_type: str
    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    size: int = Field(ge=0)
    artifact_type: str | None = None
    platform: _Platform | None = None
    annotations: dict[str, str] = Field(default_factory=dict)

    @property
    def runs_on(self) -> tuple[str, str] | None:
        """Give the system and architecture that it is for; None if it is for all."""
        return (self.platform.os, self.platform.architecture) if self.platform else None


class Manifest(_Wire):
    """An artifact, its layers and what is said of it; or an index, which lists manifests instead."""

    layers: tuple[Descriptor, ...] = Field(default=(), max_length=1000)
    manifests: tuple[Descriptor, ...] | None = Field(default=None, max_length=10_000)
    annotations: dict[str, str] = Field(default_factory=dict)


class Repository:
    """Asks a registry about one repository."""

    def __init__(self, session: Session, reference: Reference, authorization: str | None = None) -> None:
        """Ask with ``session`` about the repository of ``reference``, with a header that says who asks."""
        self._session = session
        self._reference = reference
        host, repository = _place(reference)
        # Registries on this machine speak plain http; nothing else is read in the clear.
        scheme = "http" if urls.is_loopback(_without_port(host)) else "https"
        self._root = f"{scheme}://{host}/v2/{repository}"
        self._login = RegistryLogin(
            session,
            root=self._root,
            repository=repository,
            origin=str(reference),
            authorization=authorization,
        )

    async def resolve(self) -> Digest:
        """Give the digest of the manifest that is referred to; raise NotFound if there is none."""
        digest, _ = await self.read(self._reference.digest or self._reference.tag)
        return digest

    async def peek(self, tag: str) -> Digest | None:
        """Give the digest that the registry says a tag leads to by now; None if it does not say."""
        answer = await self._get(f"manifests/{tag}", 0, method="HEAD")
        if answer.status != 200:
            raise web.refusal(answer.status, str(self._reference))
        said = answer.headers.get("Docker-Content-Digest", "")
        return Digest(said) if digests.is_digest(said) else None

    async def read(self, name: str) -> tuple[Digest, bytes]:
        """Read the manifest or index of a tag or a digest; raise NotFound if there is none."""
        answer = await self._get(f"manifests/{name}", MAX_MANIFEST_BYTES)
        if answer.status == 404:
            raise NotFound(f"{self._reference} is not there: check the name, or push it first")
        body = self._good(answer)
        found = digests.of_bytes(body)
        if digests.is_digest(name) and found != name:
            raise self._mismatch(name, found)
        return found, body

    async def manifest(self, name: str) -> Manifest | None:
        """Read the manifest of a tag or a digest; None if there is none."""
        try:
            _, body = await self.read(name)
        except NotFound:
            return None
        return self.parse(body)

    def parse(self, content: bytes) -> Manifest:
        """Understand what was read."""
        try:
            return Manifest.model_validate_json(content)
        except pydantic.ValidationError as err:
            raise SourceRefused(f"the registry of {self._reference} answers in no form of OCI's") from err

    async def referrers(self, digest: Digest, artifact_type: str) -> tuple[Descriptor, ...]:
        """List the artifacts of a type that refer to a manifest, of registries old and new."""
        query = urllib.parse.urlencode({"artifactType": artifact_type})
        answer = await self._get(f"referrers/{digest}?{query}", MAX_MANIFEST_BYTES)
        if answer.status == 404:
            # The registry has no such API: clients keep the list themselves, under a tag.
            answer = await self._get(f"manifests/{digest.replace(':', '-')}", MAX_MANIFEST_BYTES)
        if answer.status == 404:
            return ()
        listed = self.parse(self._good(answer)).manifests or ()
        return tuple(each for each in listed if each.artifact_type == artifact_type)

    async def blob(self, descriptor: Descriptor, *, max_bytes: int) -> bytes:
        """Read a blob; raise ArchiveTooLarge if it is too large, DigestMismatch if it is another one."""
        self._check_size(descriptor, max_bytes)
        body = self._good(await self._get(f"blobs/{descriptor.digest}", max_bytes))
        if digests.of_bytes(body) != descriptor.digest:
            raise self._mismatch(descriptor.digest, digests.of_bytes(body))
        return body

    async def download(self, descriptor: Descriptor, spool: Spool) -> None:
        """Gather a blob in the spool, and compare it with its digest."""
        self._check_size(descriptor, spool.max_bytes)
        await download.receive(
            self._session, f"{self._root}/blobs/{descriptor.digest}", spool, login=self._login
        )
        if spool.digest != descriptor.digest:
            raise self._mismatch(descriptor.digest, spool.digest)

    async def _get(self, path: str, max_bytes: int, method: Literal["GET", "HEAD"] = "GET") -> Answer:
        return await self._session.get(
            f"{self._root}/{path}", _ACCEPT, max_bytes=max_bytes, login=self._login, method=method
        )

    def _good(self, answer: Answer) -> bytes:
        if answer.status == 200:
            return answer.body
        raise web.refusal(answer.status, str(self._reference))

    def _check_size(self, descriptor: Descriptor, max_bytes: int) -> None:
        if descriptor.size > max_bytes:
            raise ArchiveTooLarge(f"{descriptor.digest} of {self._reference}", max_bytes)

    def _mismatch(self, expected: str, found: str) -> DigestMismatch:
        return DigestMismatch(f"digest mismatch in {self._reference}: expected {expected}, got {found}")


def _place(reference: Reference) -> tuple[str, str]:
    """Give the host and the repository as they are asked: Docker Hub's are other than they are written."""
    if reference.host not in ("docker.io", "index.docker.io"):
        return reference.host, reference.repository
    repository = reference.repository
    return "registry-1.docker.io", repository if "/" in repository else f"library/{repository}"


def _without_port(host: str) -> str:
    return host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
