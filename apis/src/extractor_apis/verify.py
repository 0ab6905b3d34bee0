"""Who must have signed an archive, and who did: ``verify`` as Flux spells it, safer where Flux is not.

Patterns match the whole value, not a part of it, and a signature that anybody could have made is not enough.
They are judged by an engine of linear time: a tenant writes them, and signs what they are matched against.
"""

import datetime
from typing import Annotated, Literal, Self

import pydantic_core
from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import core_schema

from extractor_apis.meta import CamelStruct
from extractor_apis.resource import LocalReference, validated

_EXACTLY_ONE = "name exactly one of identities (keyless) and secretRef (keys)"


def matches(pattern: str, value: str) -> bool:
    """Tell whether the whole value is what the regular expression describes."""
    try:
        _compiled(rf"\A(?:{pattern})\z").validate_python(value)
    except pydantic_core.ValidationError:
        return False
    return True


def _check(pattern: str) -> str:
    # By itself first: ``x)|(.*`` would be well-formed between our brackets only, and match everything.
    for text in (pattern, rf"\A(?:{pattern})\z"):
        try:
            _compiled(text)
        except pydantic_core.SchemaError as err:
            raise ValueError(f"{pattern!r} is no regular expression of RE2's syntax") from err
    return pattern


def _compiled(pattern: str) -> pydantic_core.SchemaValidator:
    return pydantic_core.SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))


Pattern = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_check)]
"""A regular expression in the syntax of RE2, as Go and Flux use it; it must match the whole value."""


class Identity(CamelStruct):
    """Somebody whose keyless signature is accepted."""

    issuer: Pattern
    """Pattern of the OpenID Connect issuer, as in ``https://token\\.actions\\.githubusercontent\\.com``."""
    subject: Pattern
    """Pattern of whom the issuer vouches for: a workflow's URL, or an e-mail address."""


class Verify(CamelStruct):
    """The signature that an archive must have: of one of the identities, or by one of a Secret's keys."""

    model_config = ConfigDict(
        json_schema_extra=validated(
            ("(has(self.identities) && size(self.identities) > 0) != has(self.secretRef)", _EXACTLY_ONE)
        )
    )

    provider: Literal["cosign"] = "cosign"
    """How it is signed."""
    identities: tuple[Identity, ...] = Field(default=(), max_length=64)
    """Whose keyless signature is accepted; Flux's ``matchOIDCIdentity``."""
    secret_ref: LocalReference | None = None
    """The Secret with the public keys, one in each entry that is named ``*.pub``."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        # Flux takes neither to mean that any identity will do: a signature that everybody can make.
        if bool(self.identities) == bool(self.secret_ref):
            raise ValueError(_EXACTLY_ONE)
        return self


class Signer(CamelStruct):
    """Who signed an artifact, as far as it was verified."""

    digest: str
    """``sha256:…`` of the archive or of the OCI manifest."""
    issuer: str | None = None
    """Who vouches for the subject; None when a key signed."""
    subject: str | None = None
    """Who signed; None when a key did."""
    key: str | None = None
    """``sha256:…`` of the public key that signed (its DER form); None when it was keyless."""
    at: datetime.datetime | None = None
    """When, to the minutes that the certificate was valid; None for a key, as nobody vouches for its time."""
