"""What a name tells about the bytes behind it: the media type by extension, the same on every machine."""

import mimetypes
import re
from typing import Literal

BlobType = Literal["text", "image", "video", "audio", "document"]

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
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def mime_type(name: str) -> str:
    """Tell the media type that a file name, path or URL without query ends in."""
    dot = name.rfind(".")
    return _TYPES.get(name[dot:].lower(), _UNKNOWN) if dot >= 0 else _UNKNOWN


def blob_type(mime: str) -> BlobType:
    """Tell which kind of object a media type is."""
    match mime.partition("/")[0]:
        case "text" | "image" | "video" | "audio" as kind:
            return kind
        case _:
            return "text" if mime in _TEXTUAL else "document"


def is_url(value: str) -> bool:
    """Tell whether a value begins as a URL does."""
    return _URL.match(value) is not None


def referenced_type(value: str) -> str | None:
    """Tell the media type of what a value refers to, if it is a path or URL that ends as binary files do."""
    if _REFERENCE.fullmatch(value) is None:
        return None
    mime = mime_type(value.partition("?")[0].partition("#")[0] if is_url(value) else value)
    return None if mime == _UNKNOWN or blob_type(mime) == "text" else mime
