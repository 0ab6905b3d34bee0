"""What an archive holds, whatever its format: the readers' common language."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from extractor_sandbox import limits
from extractor_sandbox.finding import Refused


@dataclass(frozen=True)
class Member:
    """A file or directory as the archive declares it; nothing of it is judged or unpacked yet."""

    path: str
    """As written, without a directory's trailing slash."""
    is_directory: bool
    size: int
    mode: int | None
    """Unix type and permissions; None if the entry has none."""
    pieces: Callable[[], Iterator[bytes]]
    """Read the content. Raises Refused where it is not what the archive declares."""


def check_ratio(path: str, size: int, packed: int) -> None:
    """Refuse a bomb before any of it is inflated."""
    if size > limits.RATIO_FREE_BYTES and size > limits.RATIO * packed:
        raise Refused("Z11", f"{size} bytes are packed into {packed}, more than {limits.RATIO} to 1", path)
