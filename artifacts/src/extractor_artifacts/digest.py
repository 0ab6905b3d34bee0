"""SHA-256 digests, spelt ``sha256:`` and 64 hex digits: the only names that archives have."""

import hashlib
import re
from pathlib import Path
from typing import NewType

from extractor_artifacts.errors import ArtifactError

Digest = NewType("Digest", str)
"""A digest that `parse` accepted or that we computed ourselves."""

_PREFIX = "sha256:"
_DIGEST = re.compile(_PREFIX + "[0-9a-f]{64}")


def parse(text: str) -> Digest:
    """Accept a well-formed digest; raise ArtifactError for anything else."""
    if not is_digest(text):
        raise ArtifactError(f"{text!r} is no digest: write sha256: and 64 lower-case hexadecimal digits")
    return Digest(text)


def is_digest(text: str) -> bool:
    """Tell whether that is a well-formed digest."""
    return _DIGEST.fullmatch(text) is not None


def of_hash(hashed: "hashlib._Hash") -> Digest:
    """Spell what a running SHA-256 has come to."""
    return Digest(_PREFIX + hashed.hexdigest())


def of_bytes(content: bytes) -> Digest:
    """Hash what is in memory."""
    return of_hash(hashlib.sha256(content))


def of_file(path: Path) -> Digest:
    """Hash a file."""
    with path.open("rb") as stream:
        return of_hash(hashlib.file_digest(stream, "sha256"))


def digits(digest: Digest) -> str:
    """Give the hexadecimal part, which is what files and folders are named after."""
    return digest.removeprefix(_PREFIX)
