"""The image that an author names, as bytes with a media type: what every provider takes."""

import base64
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor_artifacts import urls
from extractor_runtime.sdk import assets

MAX_BYTES = 20 * 1024 * 1024
"""The most that providers take in one request."""


@dataclass(frozen=True)
class Image:
    """An encoded image."""

    media_type: str
    content: bytes

    @property
    def base64(self) -> str:
        """The bytes as text."""
        return base64.b64encode(self.content).decode()

    @property
    def data_url(self) -> str:
        """The image as a URL that holds it."""
        return f"data:{self.media_type};base64,{self.base64}"


def load(source: Any) -> Image:
    """Read an image: a path or URL, a data URL, bytes, or one that Pillow has opened.

    Raises ValueError for what is none, is of a type that models do not take, or is too large.
    """
    content = _content(source)
    if len(content) > MAX_BYTES:
        raise ValueError(f"{_shown(source)} is larger than {MAX_BYTES} bytes: scale it down")
    media_type = _media_type(content)
    if media_type is None:
        raise ValueError(f"{_shown(source)} is no PNG, JPEG, GIF or WebP image: convert it")
    return Image(media_type, content)


def _content(source: Any) -> bytes:
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    if isinstance(source, str | os.PathLike):
        with assets.open_asset(os.fspath(source)) as path, Path(path).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    if callable(save := getattr(source, "save", None)):
        buffer = io.BytesIO()
        save(buffer, format="PNG")
        return buffer.getvalue()
    raise ValueError(f"{type(source).__name__} is no image: give a URL, a path, bytes or a PIL image")


def _media_type(content: bytes) -> str | None:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None


def _shown(source: Any) -> str:
    """Name an image in an error, without its content and without a signed query."""
    if isinstance(source, str | os.PathLike) and not str(source).startswith("data:"):
        return f"image {urls.redact(os.fspath(source))[:200]}"
    return f"an image given as {'data URL' if isinstance(source, str) else type(source).__name__}"
