"""Files as objects: text goes inline, everything else by its address."""

import codecs
import hashlib

from extractor_runtime.sources import media, utf8
from extractor_runtime.sources.errors import SourceError
from extractor_runtime.sources.listing import File
from extractor_runtime.sources.tables import Row

MAX_TEXT = 16 * 1024 * 1024

_PROPERTY = "file"


def read(file: File) -> Row:
    """Make an object of a file; raise SourceError for text that is too long or not UTF-8."""
    mime = media.mime_type(file.name)
    if media.blob_type(mime) != "text":
        return Row(
            object_id=file.name,
            blob_property=_PROPERTY,
            blob_type=media.blob_type(mime),
            mime_type=mime,
            size_bytes=file.size,
            data=file.address,
            content_hash=file.stamp,
            fields=None,
        )
    content = _content(file)
    return Row(
        object_id=file.name,
        blob_property=_PROPERTY,
        blob_type="text",
        mime_type=mime,
        size_bytes=0,
        data=utf8.decode(content.removeprefix(codecs.BOM_UTF8), file.name),
        content_hash=hashlib.sha256(content).hexdigest(),
        fields=None,
    )


def _content(file: File) -> bytes:
    try:
        with file.open() as stream:
            content = stream.read(MAX_TEXT + 1)
    except OSError as err:
        raise SourceError(f"{file.name} cannot be read: {err}") from err
    if len(content) > MAX_TEXT:
        raise SourceError(f"{file.name} is larger than the {MAX_TEXT:,} bytes that a text may have: split it")
    return content
