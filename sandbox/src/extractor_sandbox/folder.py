"""Pack a folder into an archive, without what tools leave behind in it."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from extractor_apis.errors import ExtractorError
from extractor_sandbox import canonical, limits
from extractor_sandbox.extent import Extent

_LEFT_OUT = {"__pycache__", "__MACOSX", "venv", "node_modules", "Thumbs.db", "desktop.ini"}
_LEFT_OUT_ENDINGS = (".egg-info", ".dist-info", ".pyc", ".pyo", "~")


class PackError(ExtractorError):
    """A folder that cannot be packed."""


def pack(folder: Path, into: Path) -> None:
    """Write a folder's files to a zip at ``into``, which is replaced only when the whole is written.

    Files lie under a folder of the same name if that is a plain identifier, so that absolute imports
    through it work; else at the root. Raises PackError if the folder has no manifest, holds links or
    special files, or is too large.
    """
    if not (folder / "manifest.py").is_file():
        raise PackError(f"{folder} has no manifest.py: name the folder that does, or run `extractor init`")
    try:
        files = _name(folder, _find_files(folder, into))
        if len(files) > limits.FILES:
            raise PackError(f"{folder} has {len(files)} files, the limit is {limits.FILES}: remove some")
        with tempfile.NamedTemporaryFile(dir=into.parent, prefix=f".{into.name}.", delete=False) as temporary:
            try:
                _write(files, cast(BinaryIO, temporary))
                os.replace(temporary.name, into)
            finally:
                Path(temporary.name).unlink(missing_ok=True)
    except UnicodeEncodeError as err:
        raise PackError(f"the file name {ascii(err.object)[:200]} is no text: rename the file") from err
    except OSError as err:
        raise PackError(f"cannot pack {folder}: {err.filename or into}: {err.strerror}") from err


def _name(folder: Path, files: Iterable[Path]) -> list[tuple[str, Path]]:
    """Give the files their names in the archive, in the order in which they are written."""
    name = folder.resolve().name
    prefix = f"{name}/" if name.isascii() and name.isidentifier() else ""
    return sorted((prefix + path.relative_to(folder).as_posix(), path) for path in files)


def _find_files(folder: Path, into: Path) -> Iterator[Path]:
    """Find the files to pack; never the archive itself, if it is written into the folder."""
    with os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            if _is_left_out(entry.name):
                continue
            if entry.is_symlink():
                raise PackError(f"{path} is a link: replace it by the file that it points to")
            if entry.is_dir():
                yield from _find_files(path, into)
            elif not entry.is_file():
                raise PackError(f"{path} is no regular file: remove it")
            elif path.resolve() != into.resolve():
                yield path


def _is_left_out(name: str) -> bool:
    """Tell whether a file is a tool's; the scan refuses all hidden files, so none of them is packed."""
    return name in _LEFT_OUT or name.startswith(".") or name.endswith(_LEFT_OUT_ENDINGS)


def _write(files: list[tuple[str, Path]], into: BinaryIO) -> None:
    writer = canonical.Writer(into)
    size = 0
    for name, path in files:
        with path.open("rb") as file:
            content = Extent(file.fileno(), 0, os.fstat(file.fileno()).st_size)
            size += content.size
            if size > limits.UNPACKED_BYTES:
                raise PackError(
                    f"{path} makes the archive larger than {limits.UNPACKED_BYTES} bytes: leave data out"
                )
            writer.add(name, content.pieces())
    writer.close()
