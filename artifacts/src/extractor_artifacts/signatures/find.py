"""The signatures of an artifact, from where cosign puts them; what they are worth is decided elsewhere.

Beside an archive is a bundle, ``<archive>.sigstore.json``. In a registry bundles refer to the manifest;
cosign 1 and 2 left their signatures under the tag ``sha256-<digest>.sig``.
"""

import base64
import binascii
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from extractor_artifacts import registry, session, urls
from extractor_artifacts.digest import Digest
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.guarded_loop import MayConnect
from extractor_artifacts.patience import Patience
from extractor_artifacts.registry import Descriptor, Repository
from extractor_artifacts.session import Session
from extractor_artifacts.signatures import form, subject
from extractor_artifacts.signatures.form import SimpleSigning

SUFFIX = ".sigstore.json"

_BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_PREDICATE = "dev.sigstore.bundle.predicateType"
_SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
_SIGNATURE = "dev.cosignproject.cosign/signature"
_CERTIFICATE = "dev.sigstore.cosign/certificate"
_ENOUGH = form.MAX_SIGNATURES + 1
"""One more than is looked at, so that it is noticed."""
_PATIENCE = Patience(total=60.0)


@dataclass(frozen=True)
class Signed:
    """An artifact in a registry, and the signatures that were found."""

    digest: Digest
    """Of its manifest; what to pull from then on."""
    signatures: tuple[bytes | SimpleSigning, ...]


def beside(
    location: str, *, patience: Patience = _PATIENCE, may_connect: MayConnect | None = None
) -> bytes | None:
    """Read the bundle beside an archive, which is a path or a URL; None if there is none."""
    if "://" not in location:
        return read(location + SUFFIX)
    parts = urllib.parse.urlsplit(location)
    neighbour = parts._replace(path=parts.path + SUFFIX).geturl()
    return read(neighbour, patience=patience, may_connect=may_connect)


def read(
    location: str, *, patience: Patience = _PATIENCE, may_connect: MayConnect | None = None
) -> bytes | None:
    """Read the bundle at a path or a URL; None if there is none."""
    scheme, separator, _ = location.partition("://")
    if separator and scheme != "file":
        return _ask(location, patience, may_connect)
    path = Path(urllib.request.url2pathname(urllib.parse.urlsplit(location).path) if separator else location)
    try:
        with path.open("rb") as file:
            # One byte more than is read, so that it is noticed.
            return file.read(form.MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as err:
        raise ArtifactError(f"cannot read {path}: {err.strerror}") from err


def attached(
    location: str, *, patience: Patience = _PATIENCE, may_connect: MayConnect | None = None
) -> Signed:
    """Find an artifact in a registry, ``oci://host/repository:tag``, and its signatures.

    Raises ArtifactError if the artifact is not there, or the registry does not answer.
    """
    reference = registry.parse(location)

    async def find(asking: Session) -> Signed:
        repository = Repository(asking, reference)
        digest = await repository.resolve()
        return Signed(digest, (*await _bundles(repository, digest), *await _simple(repository, digest)))

    return session.run(find, origin=str(reference), patience=patience, may_connect=may_connect)


async def _bundles(repository: Repository, digest: Digest) -> list[bytes]:
    bundles: list[bytes] = []
    for referrer in await repository.referrers(digest, _BUNDLE):
        if _is_attestation(referrer.annotations):
            continue
        manifest = await repository.manifest(referrer.digest)
        if manifest is None or not manifest.layers or _is_attestation(manifest.annotations):
            continue
        bundles.append(await repository.blob(manifest.layers[0], max_bytes=form.MAX_BYTES))
        if len(bundles) == _ENOUGH:
            break
    return bundles


def _is_attestation(annotations: Mapping[str, str]) -> bool:
    """Tell whether it says what is in the artifact, or how it was built; one that hides it fails later."""
    return annotations.get(_PREDICATE, subject.SIGN_PREDICATE) != subject.SIGN_PREDICATE


async def _simple(repository: Repository, digest: Digest) -> list[SimpleSigning]:
    manifest = await repository.manifest(f"{digest.replace(':', '-')}.sig")
    layers = [each for each in manifest.layers if each.media_type == _SIMPLE_SIGNING] if manifest else []
    return [
        SimpleSigning(
            await repository.blob(layer, max_bytes=form.MAX_BYTES),
            _signature(layer),
            keyless=_CERTIFICATE in layer.annotations,
        )
        for layer in layers[:_ENOUGH]
    ]


def _signature(layer: Descriptor) -> bytes:
    try:
        return base64.b64decode(layer.annotations.get(_SIGNATURE, ""), validate=True)
    except binascii.Error:
        # No key made it, which is what is said then.
        return b""


def _ask(url: str, patience: Patience, may_connect: MayConnect | None) -> bytes | None:
    shown = urls.redact(url)

    async def ask(asking: Session) -> bytes | None:
        answer = await asking.get(url, max_bytes=form.MAX_BYTES)
        if answer.status in (404, 410):
            return None
        if answer.status != 200:
            raise ArtifactError(
                f"cannot read {shown}: HTTP {answer.status}; check the URL, or fetch the file first"
            )
        return answer.body

    return session.run(ask, origin=shown, patience=patience, may_connect=may_connect)
