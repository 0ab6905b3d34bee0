"""One file of records or text on the web, downloaded when it is read."""

import functools
import tempfile
import urllib.parse
from pathlib import Path
from typing import BinaryIO

from extractor_artifacts import fetch, urls
from extractor_runtime.sources import formats, listing, media
from extractor_runtime.sources.errors import SourceError
from extractor_runtime.sources.listing import File, Listing

MAX_BYTES = 4 * 1024 * 1024 * 1024


def find(url: str) -> Listing:
    """Take a URL as the one file that it names; nothing is asked of the server yet."""
    shown = urls.redact(url)
    name = urllib.parse.unquote(shown.rpartition("/")[2])
    if not formats.is_records(name) and media.blob_type(media.mime_type(name)) != "text":
        raise SourceError(
            f"{shown} does not end as a file of records or text: "
            "put the URLs of other files into a .jsonl or .csv file"
        )
    # Neither size nor stamp is needed: what is read is hashed.
    file = File(name, shown, size=0, stamp="", open=functools.partial(_open, url))
    return listing.make_listing(shown, [file])


def _open(url: str) -> BinaryIO:
    with tempfile.TemporaryDirectory(prefix="extractor-source-") as folder:
        body = Path(folder) / "body"
        fetch(url, body, max_bytes=MAX_BYTES)
        # The open file outlives its folder, and goes when it is closed.
        return body.open("rb")
