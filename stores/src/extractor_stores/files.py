"""Small files that are there whole or not at all."""

import os
import platform
from pathlib import Path

from extractor_stores.errors import StoreError

_LIMIT = 256 * 1024 * 1024


def read(path: Path, limit: int = _LIMIT) -> bytes | None:
    """Read a file that this room wrote; None if there is none."""
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as err:
        raise StoreError(f"{path} cannot be read: {err.strerror}") from err
    if len(content) > limit:
        raise StoreError(
            f"{path} is larger than {limit >> 20} MiB, so the store did not write it: restore it"
        )
    return content


def write(path: Path, content: bytes, *, exclusive: bool = False) -> None:
    """Write a file so that even a crash of the machine leaves the old content or the new, never a part.

    With ``exclusive`` a file that is there already stays as it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Processes of two nodes that share a volume may have the same number.
    temporary = path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if exclusive:
            try:
                os.link(temporary, path)
            except FileExistsError:
                return
        else:
            temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
