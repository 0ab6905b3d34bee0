"""What a query asks the realtime half with: text as it is, and files as data: URLs.

An endpoint is on another machine, where no path of this one means anything; so that a query means the same
here and there, a file is sent whole in both cases.
"""

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from extractor_apis.errors import ExtractorError
from extractor_runtime.realtime import asgi
from extractor_runtime.sources import local, media, objects

MAX_FILE = (asgi.MAX_BODY - (1 << 16)) // 4 * 3
"""Bytes of a file that still fit into a request: four characters for three bytes, and some room beside."""


class QueryError(ExtractorError):
    """A file cannot be asked with."""


def of_file(path: Path, names: Iterable[str]) -> dict[str, Any]:
    """Send a file under its kind (``image``, ``audio``, ``video``, ``text``) and the manifest's input names.

    Raises QueryError, or SourceError, when it is no file, too large, or text that is not UTF-8.
    """
    if not path.is_file():
        raise QueryError(f"{path} is no file: give an image, audio, video or text file")
    (file,) = local.find(str(path)).files
    row = objects.read(file)
    value = row.data if row.blob_type == "text" else data_url(path, row.mime_type)
    return named(value, row.blob_type, names)


def named(value: Any, kind: media.BlobType, names: Iterable[str]) -> dict[str, Any]:
    """Give a value the names that authors read it by; a name that is another kind's is left out."""
    return {name: value for name in (*(name for name in names if name not in media.BLOB_TYPES), kind)}


def data_url(path: Path, mime: str) -> str:
    """Write a file as a data: URL. Raises QueryError when it is larger than an endpoint would take."""
    with path.open("rb") as file:
        content = file.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        raise QueryError(
            f"{path} is larger than the {MAX_FILE >> 20} MiB that a query may send: make it smaller"
        )
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"
