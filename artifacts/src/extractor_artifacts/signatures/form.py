"""A signature as it was found, read within limits and not yet believed.

cosign writes a Sigstore bundle with either the signature of a digest (``sign-blob``) or an envelope around a
statement about a digest (``sign``). Before version 3 ``sign`` wrote a payload and its signature side by side.
"""

from dataclasses import dataclass

import pydantic
from pydantic import Base64Bytes, BaseModel, Field
from pydantic.alias_generators import to_camel

from extractor_artifacts import digest as digests
from extractor_artifacts.digest import Digest
from extractor_artifacts.signatures import subject
from extractor_artifacts.signatures.errors import Reason, SignatureError

MAX_BYTES = 1024 * 1024
"""What one signature may weigh; real ones weigh less than 20 KiB."""
MAX_SIGNATURES = 64
"""How many signatures of one artifact are looked at."""

_MEDIA_TYPE = r"^application/vnd\.dev\.sigstore\.bundle(\.v0\.3\+json|\+json;version=0\.[123])$"


@dataclass(frozen=True)
class SimpleSigning:
    """What cosign 1 and 2 put beside an image: the signed payload, and its signature."""

    payload: bytes
    signature: bytes
    keyless: bool


@dataclass(frozen=True)
class Bundle:
    """A Sigstore bundle."""

    content: bytes
    """Its JSON."""
    keyless: bool
    signature: bytes
    digest: bytes | None
    """SHA-256 of what was signed, if it is a signature of a digest, and says of which."""
    statement: bytes | None
    """What was signed, if it is an envelope around a statement."""


class _Model(BaseModel):
    model_config = {"alias_generator": to_camel}


class _MessageDigest(_Model):
    algorithm: str
    digest: Base64Bytes


class _MessageSignature(_Model):
    message_digest: _MessageDigest | None = None
    signature: Base64Bytes


class _EnvelopeSignature(_Model):
    sig: Base64Bytes


class _Envelope(_Model):
    payload_type: str
    payload: Base64Bytes
    signatures: list[_EnvelopeSignature] = Field(min_length=1, max_length=1)


class _Material(_Model):
    public_key: dict[str, object] | None = None


class _Bundle(_Model):
    media_type: str = Field(pattern=_MEDIA_TYPE)
    verification_material: _Material
    message_signature: _MessageSignature | None = None
    dsse_envelope: _Envelope | None = None


def read_bundle(content: bytes) -> Bundle:
    """Read a bundle; raise SignatureError if it is none."""
    if len(content) > MAX_BYTES:
        raise SignatureError(Reason.MALFORMED, f"a signature is larger than {MAX_BYTES:,} bytes: it is none")
    try:
        bundle = _Bundle.model_validate_json(content)
    except pydantic.ValidationError as err:
        # The library's message repeats what it read.
        raise SignatureError(
            Reason.MALFORMED,
            "what was found is no Sigstore bundle: sign again with cosign 3",
        ) from err
    keyless = bundle.verification_material.public_key is None
    message, envelope = bundle.message_signature, bundle.dsse_envelope
    if message is not None and envelope is None:
        digest = message.message_digest
        if digest is not None and digest.algorithm != "SHA2_256":
            raise SignatureError(
                Reason.UNSUPPORTED, "the signature is not of a SHA-256 digest: sign with cosign"
            )
        return Bundle(content, keyless, message.signature, digest.digest if digest else None, None)
    if envelope is not None and message is None:
        if envelope.payload_type != subject.STATEMENT_TYPE:
            raise SignatureError(
                Reason.UNSUPPORTED, "the signed envelope holds no in-toto statement: sign with `cosign sign`"
            )
        return Bundle(content, keyless, envelope.signatures[0].sig, None, envelope.payload)
    raise SignatureError(Reason.MALFORMED, "the bundle holds no signature, or two: sign again with cosign 3")


def check_digest(bundle: Bundle, digest: Digest) -> None:
    """Raise SignatureError if the bundle says that it is for another artifact."""
    if bundle.digest is not None and bundle.digest.hex() != digests.digits(digest):
        raise subject.other_artifact(digest, f"sha256:{bundle.digest.hex()}")
