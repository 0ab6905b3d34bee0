"""An archive that is an artifact in an OCI registry: one layer of one manifest.

A tag is resolved once. From then on the manifest's digest is what counts, and the tag is only asked where it
leads to. Manifests are kept beside the archives, so that what is here costs one request, and by digest none.
"""

import asyncio
import contextlib
import platform
import re
from pathlib import Path

from extractor_apis.extractorversion import OCISource
from extractor_artifacts import digest as digests
from extractor_artifacts import registry, session
from extractor_artifacts.digest import Digest
from extractor_artifacts.errors import SourceError, SourceRefused
from extractor_artifacts.registry import Descriptor, Manifest, Reference, Repository
from extractor_artifacts.session import Session
from extractor_artifacts.sources import pin
from extractor_artifacts.sources.access import Access, FetchedSource
from extractor_artifacts.spool import Spool

_ARCHIVE = re.compile(r".*[/+.](x-)?(zip|gzip)(-compressed)?")
"""Media types of a zip or a tar.gz: ``application/zip``, ``application/vnd.oci.image.layer.v1.tar+gzip``."""
_ATTESTATION = "vnd.docker.reference.type"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def fetch(source: OCISource, into: Path, *, access: Access, pinned: str | None) -> FetchedSource:
    """Have the archive in the file ``into``; see `sources.fetch_source`."""
    reference = registry.parse(f"oci://{source.reference}")
    authorization = access.credentials.registry_login(reference.host, reference.repository)

    async def pull(asking: Session) -> FetchedSource:
        repository = Repository(asking, reference, authorization)
        return await _Pull(reference, repository, access).run(into, pinned)

    return session.run(
        pull,
        origin=str(reference),
        patience=access.patience,
        may_connect=access.addresses.may_connect,
        may_ask=access.addresses.may_ask,
    )


class _Pull:
    def __init__(self, reference: Reference, repository: Repository, access: Access) -> None:
        self._reference = reference
        self._repository = repository
        self._access = access
        self._blobs = access.blobs

    async def run(self, into: Path, pinned: str | None) -> FetchedSource:
        digest = self._reference.digest or (pin.digest_of(pinned) if pinned else None)
        moved_to = await self._moved_to(digest) if digest else None
        digest, content = await self._read(digest or self._reference.tag)
        layer = await self._layer(content)
        size = await self._bring(layer, into)
        shown = str(self._reference).partition("@")[0]
        return FetchedSource(Digest(layer.digest), size, pin.resolved(shown, digest), moved_to)

    async def _moved_to(self, pinned: Digest) -> Digest | None:
        """Ask where the tag leads to by now."""
        if self._reference.digest:
            return None
        # What is pinned does not depend on it: a tag may be gone, and a registry may be down.
        with contextlib.suppress(SourceError, TimeoutError):
            async with asyncio.timeout(self._access.patience.read):
                now = await self._repository.peek(self._reference.tag)
            return now if now != pinned else None
        return None

    async def _layer(self, content: bytes) -> Descriptor:
        manifest = self._repository.parse(content)
        if manifest.manifests is not None:
            _, content = await self._read(self._chosen(manifest.manifests).digest)
            manifest = self._repository.parse(content)
        if manifest.manifests is not None:
            raise SourceRefused(f"{self._reference} is an index of indexes: name one manifest by its digest")
        return self._archive_of(manifest)

    def _chosen(self, listed: tuple[Descriptor, ...]) -> Descriptor:
        """Choose the only manifest of an index, or the only one for this kind of machine."""
        manifests = [each for each in listed if _ATTESTATION not in each.annotations]
        if len(manifests) > 1:
            here = ("linux", _ARCHITECTURES.get(platform.machine(), platform.machine()))
            manifests = [each for each in manifests if each.runs_on == here]
        if len(manifests) != 1:
            raise SourceRefused(
                f"{self._reference} is an index in which {len(manifests)} manifests fit: name one by digest"
            )
        return manifests[0]

    def _archive_of(self, manifest: Manifest) -> Descriptor:
        """Choose the only layer, or the only one that is an archive by its media type."""
        layers = manifest.layers
        if len(layers) > 1:
            layers = tuple(each for each in layers if _ARCHIVE.fullmatch(each.media_type))
        if len(layers) != 1:
            raise SourceRefused(
                f"{self._reference} has {len(manifest.layers)} layers, and {len(layers)} of them can be the "
                "archive: push one zip or tar.gz, for example with `oras push`"
            )
        return layers[0]

    async def _read(self, name: str) -> tuple[Digest, bytes]:
        """Read a manifest; one that is here and named by its digest is not asked for."""
        if self._blobs and digests.is_digest(name):
            content = self._blobs.read(Digest(name), max_bytes=registry.MAX_MANIFEST_BYTES)
            if content is not None:
                return Digest(name), content
        digest, content = await self._repository.read(name)
        if self._blobs:
            self._blobs.add_bytes(content)
        return digest, content

    async def _bring(self, layer: Descriptor, into: Path) -> int:
        """Have the layer in the file, and give its size."""
        begun = None
        if self._blobs:
            size = self._blobs.take(Digest(layer.digest), into)
            if size is not None:
                return size
            begun = self._blobs.begun(Digest(layer.digest), into)
        shown, limit = str(self._reference), self._access.max_bytes
        with Spool(into, origin=shown, max_bytes=limit, begun=begun) as spool:
            await self._repository.download(layer, spool)
            spool.commit(lasting=False)
        if self._blobs:
            self._blobs.add(into, spool.digest)
        return spool.size
