"""What an opinion is formed on."""

from collections.abc import Callable
from dataclasses import dataclass

from extractor_sandbox.member import Member


@dataclass(frozen=True)
class Evidence:
    """An accepted archive, and what is known of such archives."""

    files: tuple[Member, ...]
    dependencies: tuple[str, ...]
    """The manifest's requirements, well-formed."""
    reading: Callable[[str], None]
    """Told which file comes next: if the tool dies of it, it is known of which."""
    advisories: int | None = None
    """Descriptor of a zip of OSV records."""


def content(file: Member) -> bytes:
    """Read a file whole; for callers that looked at its size."""
    return b"".join(file.pieces())
