"""Files, folders and globs on this machine. Links to files are followed, links to folders are not."""

import functools
import glob
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from extractor_runtime.sources import listing
from extractor_runtime.sources.errors import SourceError
from extractor_runtime.sources.listing import File, Listing


def find(location: str) -> Listing:
    """List a file, the files below a folder, or what a glob matches; an existing path is never a glob."""
    path = os.path.abspath(location)
    if os.path.isfile(path):
        return _listing(path, os.path.dirname(path), [path])
    if os.path.isdir(path):
        return _listing(path, path, _walk(path))
    if not listing.has_magic(path):
        raise SourceError(f"there is no {path}: {_nearest(path)}")
    root = listing.fixed_prefix(path) or "/"
    found = _listing(path, root, glob.iglob(path, recursive=True))
    if not found.files:
        raise SourceError(f"nothing matches {path}: {_nearest(root)}")
    return found


def _listing(uri: str, root: str, paths: Iterable[str]) -> Listing:
    files = []
    for path in paths:
        try:
            status = os.stat(path)
        except OSError as err:
            raise SourceError(
                f"cannot read {path}: {err.strerror}; is it a link that leads nowhere?"
            ) from err
        if stat.S_ISREG(status.st_mode):
            files.append(_file(path, os.path.relpath(path, root), status))
        if len(files) > listing.MAX_FILES:
            break
    return listing.make_listing(uri, files)


def _file(path: str, name: str, status: os.stat_result) -> File:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise SourceError(f"the name of {path!a} is not valid UTF-8: rename the file") from None
    stamp = f"{status.st_size}-{status.st_mtime_ns}"
    return File(name, path, status.st_size, stamp, functools.partial(_open, path))


def _open(path: str) -> BinaryIO:
    return open(path, "rb")


def _walk(root: str) -> Iterator[str]:
    def refuse(err: OSError) -> None:
        raise SourceError(f"cannot list {err.filename}: {err.strerror}") from err

    for folder, folders, names in os.walk(root, onerror=refuse):
        folders[:] = [name for name in folders if not listing.is_hidden(name)]
        yield from (os.path.join(folder, name) for name in names if not listing.is_hidden(name))


def _nearest(path: str) -> str:
    folder = next(parent for parent in (Path(path), *Path(path).parents) if parent.is_dir())
    return f"the nearest folder that exists is {folder}"
