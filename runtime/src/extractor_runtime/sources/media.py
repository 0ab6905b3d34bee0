"""What a name tells about the bytes behind it: the media type by extension, the same on every machine."""

import mimetypes
import re
from typing import Literal, get_args

BlobType = Literal["text", "image", "video", "audio", "document"]
BLOB_TYPES: frozenset[str] = frozenset(get_args(BlobType))

PLAIN_TEXT = "text/plain"
_UNKNOWN = "application/octet-stream"

# The system's own tables (/etc/mime.types) differ from machine to machine: Python's are used, and these.
_TYPES = mimetypes.MimeTypes().types_map[True] | {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".flac": "audio/flac",
    ".jsonl": "application/x-ndjson",
    ".m4a": "audio/mp4",
    ".m4v": "video/mp4",
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".mkv": "video/x-matroska",
    ".ndjson": "application/x-ndjson",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".rst": "text/x-rst",
    ".wav": "audio/wav",
    ".webp": "image/webp",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
# The first extension of a type is its usual one.
_EXTENSIONS = {mime: extension for extension, mime in reversed(_TYPES.items())}
_TEXTUAL = frozenset(
    {
        "application/json",
        "application/x-ndjson",
        "application/xml",
        "application/yaml",
        "application/javascript",
    }
)
_REFERENCE = re.compile(r"\S{1,4096}")
_SPACED = re.compile(r".{1,4096}")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_INLINE = re.compile(r"data:([a-z]+/[a-z0-9.+-]+)(?:;[a-z0-9=.+-]*)*,", re.IGNORECASE)


def mime_type(name: str) -> str:
    """Tell the media type that a file name, path or URL without query ends in."""
    dot = name.rfind(".")
    return _TYPES.get(name[dot:].lower(), _UNKNOWN) if dot >= 0 else _UNKNOWN


def is_known(name: str) -> bool:
    """Tell whether a name ends in an extension that says what the bytes are."""
    return mime_type(name) != _UNKNOWN


def extension(mime: str) -> str:
    """Give the extension that files of a media type have, with its dot; empty for an unknown type."""
    return "" if mime == _UNKNOWN else _EXTENSIONS.get(mime, "")


def blob_type(mime: str) -> BlobType:
    """Tell which kind of object a media type is."""
    match mime.partition("/")[0]:
        case "text" | "image" | "video" | "audio" as kind:
            return kind
        case _:
            return "text" if mime in _TEXTUAL else "document"


def is_url(value: str) -> bool:
    """Tell whether a value begins as a URL does."""
    return _URL.match(value) is not None or is_inline(value)


def is_inline(value: str) -> bool:
    """Tell whether a value is a data: URL: the bytes themselves."""
    return _INLINE.match(value) is not None


def referenced_type(value: str, *, spaced: bool = False) -> str | None:
    """Tell the media type of what a value refers to, if it is a path or URL of what is not text.

    A path, and a URL without query, says it by how it ends; a data: URL by how it begins. Prose may end as a
    path does: a path has no spaces, unless it is known to be one (``spaced``).
    """
    if inline := _INLINE.match(value):
        mime = inline[1].lower()
        return None if blob_type(mime) == "text" else mime
    is_address = is_url(value)
    if (_SPACED if spaced or is_address else _REFERENCE).fullmatch(value) is None:
        return None
    mime = mime_type(value.partition("?")[0].partition("#")[0] if is_address else value)
    return None if mime == _UNKNOWN or blob_type(mime) == "text" else mime
