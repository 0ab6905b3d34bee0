"""How it is written down what a source was resolved to: the source, an @, and a digest."""

from extractor_artifacts import digest as digests
from extractor_artifacts.digest import Digest
from extractor_artifacts.errors import ArtifactError, SourceRefused

_MAX_CHARACTERS = 1900
"""So that with the digest it fits into a status."""


def resolved(shown: str, digest: Digest) -> str:
    """Write a source, shown without secrets, with its digest."""
    return f"{shown[:_MAX_CHARACTERS]}@{digest}"


def digest_of(text: str) -> Digest:
    """Read the digest again; a digest alone does too. Raises SourceRefused for what has none."""
    try:
        return digests.parse(text.rpartition("@")[2])
    except ArtifactError as err:
        raise SourceRefused(str(err)) from err
