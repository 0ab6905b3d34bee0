"""What a location turned out to hold, before anything is read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from extractor_runtime.sources.errors import SourceError

MAX_FILES = 1_000_000


@dataclass(frozen=True)
class File:
    """One file of a source, wherever it is."""

    name: str
    """Path inside the source, with ``/``: its identity, and how errors call it."""
    address: str
    """Absolute path or URL, for whoever reads the bytes later."""
    size: int
    stamp: str
    """Changes when the bytes do, as far as one can tell without reading them."""
    open: Callable[[], BinaryIO]


@dataclass(frozen=True)
class Listing:
    """The files of a location, in the order of their names."""

    uri: str
    """Absolute path or URL without credentials: the same for every spelling of the location."""
    files: tuple[File, ...]


def make_listing(uri: str, files: list[File]) -> Listing:
    """Put files in order; refuse more than anyone means to list."""
    if len(files) > MAX_FILES:
        raise SourceError(f"{uri} has more than {MAX_FILES:,} files: list them in a .jsonl or .parquet file")
    return Listing(uri, tuple(sorted(files, key=lambda file: file.name)))


def is_hidden(name: str) -> bool:
    """Tell whether a path inside a source has a part that begins with a dot."""
    return name.startswith(".") or "/." in name


def has_magic(text: str) -> bool:
    """Tell whether a path is a glob."""
    return any(sign in text for sign in "*?[")


def fixed_prefix(pattern: str) -> str:
    """Give the folder under which everything that a glob matches lies."""
    parts = pattern.split("/")
    first = next(index for index, part in enumerate(parts) if has_magic(part))
    return "/".join(parts[:first])
