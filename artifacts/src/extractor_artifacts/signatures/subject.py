"""Which artifact a signature is about: the two ways in which cosign writes that down."""

from typing import TypeVar

import pydantic
from pydantic import BaseModel, Field

from extractor_artifacts.signatures.errors import Reason, SignatureError, shown

STATEMENT_TYPE = "application/vnd.in-toto+json"
SIGN_PREDICATE = "https://sigstore.dev/cosign/sign/v1"

Model = TypeVar("Model", bound=BaseModel)


def check_statement(statement: bytes, digest: str) -> None:
    """Raise SignatureError unless the statement is cosign's signature of the artifact."""
    read = _parse(_Statement, statement, "the signed statement")
    if read.predicate_type != SIGN_PREDICATE:
        # An attestation may say anything of its subject, even that it must not be run.
        raise SignatureError(
            Reason.UNSUPPORTED,
            "what was found is an attestation, no signature: sign with `cosign sign`",
        )
    signed = [f"sha256:{each.digest['sha256']}" for each in read.subject if "sha256" in each.digest]
    if digest not in signed:
        raise other_artifact(digest, signed[0] if signed else "something else")


def encode(statement: bytes) -> bytes:
    """Give the bytes that are signed when the statement is: DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(STATEMENT_TYPE), STATEMENT_TYPE.encode(), len(statement), statement)


def check_payload(payload: bytes, digest: str) -> None:
    """Raise SignatureError unless the payload of a simple signing is about the artifact."""
    critical = _parse(_Payload, payload, "the signed payload").critical
    if critical.type != "cosign container image signature":
        raise SignatureError(
            Reason.UNSUPPORTED, "the signed payload is none of cosign's: sign with `cosign sign`"
        )
    if critical.image.digest != digest:
        raise other_artifact(digest, critical.image.digest)


def other_artifact(digest: str, signed: str) -> SignatureError:
    """Say that the signature is for another artifact."""
    return SignatureError(
        Reason.OTHER_ARTIFACT,
        f"it is for {shown(signed)}, not for {digest}: the artifact was changed after it was signed, or the "
        "signature belongs to another one; sign this one",
    )


def _parse(model: type[Model], content: bytes, what: str) -> Model:
    try:
        return model.model_validate_json(content)
    except pydantic.ValidationError as err:
        # The library's message repeats what it read.
        raise SignatureError(Reason.MALFORMED, f"{what} cannot be read: sign again with cosign") from err


class _Subject(BaseModel):
    digest: dict[str, str]


class _Statement(BaseModel):
    predicate_type: str = Field(alias="predicateType")
    subject: list[_Subject]


class _Image(BaseModel):
    digest: str = Field(alias="docker-manifest-digest")


class _Critical(BaseModel):
    image: _Image
    type: str


class _Payload(BaseModel):
    critical: _Critical
