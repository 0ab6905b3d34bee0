"""The signatures of an artifact, from where cosign puts them; what they are worth is decided elsewhere.

Beside an archive is a bundle, ``<archive>.sigstore.json``. In a registry bundles refer to the manifest;
cosign 1 and 2 left their signatures under the tag ``sha256-<digest>.sig``.
"""

import base64
import binascii
import urllib.parse
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from extractor_artifacts import registry, session, urls, web
from extractor_artifacts.digest import Digest
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.login import Fixed
from extractor_artifacts.patience import Patience
from extractor_artifacts.registry import Descriptor, Repository
from extractor_artifacts.session import Session
from extractor_artifacts.signatures import form, subject
from extractor_artifacts.signatures.form import SimpleSigning
from extractor_artifacts.sources import Access, Credentials
from extractor_artifacts.sources.request import Request, request

T = TypeVar("T")

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


def beside(location: str, *, access: Access | None = None) -> bytes | None:
    """Read the bundle beside an archive, which is a path or a URL; None if there is none.

    With ``access`` it is read as the archive was: in the same name, and from where that may come from. Raises
    SourceError if a server does not give it.
    """
    match location.partition("://")[0]:
        case "http" | "https" | "file":
            parts = urllib.parse.urlsplit(location)
            return read(parts._replace(path=parts.path + SUFFIX).geturl(), access=access)
        case "store":
            # By its digest: what was uploaded has no neighbours.
            return None
        case _:
            return read(location + SUFFIX, access=access)


def read(location: str, *, access: Access | None = None) -> bytes | None:
    """Read the bundle at a path or a URL; None if there is none."""
    scheme, separator, _ = location.partition("://")
    if separator and scheme != "file":
        return _ask(location, access)
    path = Path(urllib.request.url2pathname(urllib.parse.urlsplit(location).path) if separator else location)
    try:
        with path.open("rb") as file:
            # One byte more than is read, so that it is noticed.
            return file.read(form.MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as err:
        raise ArtifactError(f"cannot read {path}: {err.strerror}") from err


def attached(location: str, *, access: Access | None = None) -> Signed:
    """Find an artifact in a registry, ``oci://host/repository:tag``, and its signatures.

    With ``access`` it is asked as for the artifact. Raises SourceError if that is not there, or the registry
    does not answer.
    """
    reference = registry.parse(location)
    credentials = access.credentials if access else Credentials()
    authorization = credentials.registry_login(reference.host, reference.repository)

    async def find(asking: Session) -> Signed:
        repository = Repository(asking, reference, authorization)
        digest = await repository.resolve()
        return Signed(digest, (*await _bundles(repository, digest), *await _simple(repository, digest)))

    return _run(find, str(reference), access)


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


def _ask(location: str, access: Access | None) -> bytes | None:
    shown = urls.redact(location)
    asked = request(location, access) if access else Request(location, Fixed())

    async def ask(asking: Session) -> bytes | None:
        answer = await asking.get(asked.url, max_bytes=form.MAX_BYTES, login=asked.login)
        if answer.status in (404, 410):
            return None
        if answer.status != 200:
            raise web.refusal(answer.status, shown)
        return answer.body

    return _run(ask, shown, access)


def _run(work: Callable[[Session], Awaitable[T]], origin: str, access: Access | None) -> T:
    if access is None:
        return session.run(work, origin=origin, patience=_PATIENCE)
    return session.run(
        work,
        origin=origin,
        patience=access.patience,
        may_connect=access.addresses.may_connect,
        may_ask=access.addresses.may_ask,
    )
