"""Objects, folders and globs in object stores: ``s3://bucket``, ``gs://bucket`` and ``az://container``.

Credentials, regions, accounts and endpoints come from the environment, as the stores' own tools read it. A
key is taken as it is written: ``#`` means nothing special in it, and ``?`` is a glob's.
"""

import functools
import io
import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO, cast

import obstore
import obstore.store
from obstore.exceptions import BaseError

from extractor_artifacts import urls
from extractor_artifacts.spool import Spool
from extractor_runtime.sources import listing
from extractor_runtime.sources.errors import SourceError
from extractor_runtime.sources.listing import File, Listing

if TYPE_CHECKING:
    from obstore import ObjectMeta, ReadableFile
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

_READ_BYTES = 8 * 1024 * 1024
_LIST_CHUNK = 1000
_WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def find(url: str) -> Listing:
    """List an object, what is below a folder, or what a glob matches."""
    root, key = _split(url)
    uri = f"{root}/{key}".rstrip("/")
    try:
        store = _store(root)
        folder, found = _look(store, key)
        if key and not found:
            raise SourceError(f"there is nothing at {uri}: check the bucket and the key")
        return listing.make_listing(uri, [_file(store, root, folder, meta) for meta in found])
    except (BaseError, OSError, ValueError, re.error) as err:
        advice = "check the name, and credentials and region in the environment"
        raise SourceError(f"cannot list {uri}: {_describe(err)}; {advice}") from None


def download(url: str, spool: Spool) -> str | None:
    """Gather an object's bytes in the spool, and give its content type."""
    root, key = _split(url)
    try:
        store = _kept_store(root, _settings())
        answer = obstore.get(store, key)
        spool.expect(answer.meta["size"])
        if answer.meta["size"] <= _READ_BYTES:
            spool.write(bytes(answer.bytes()))
        else:
            # The client's time-out holds for a whole body: what is large comes in parts.
            with _open(store, key, answer.meta["size"]) as stream:
                while chunk := stream.read(_READ_BYTES):
                    spool.write(chunk)
    except FileNotFoundError:
        raise SourceError(f"there is nothing at {url}: check the bucket and the key") from None
    except (BaseError, OSError, ValueError) as err:
        advice = "check credentials and region in the environment"
        raise SourceError(f"cannot read {url}: {_describe(err)}; {advice}") from None
    return answer.attributes.get("Content-Type")


def _split(url: str) -> tuple[str, str]:
    scheme, _, path = url.partition("://")
    bucket, _, key = path.partition("/")
    if not bucket or "@" in bucket:
        raise SourceError(f"{urls.redact(url)} names no bucket: write s3://bucket/key")
    return f"{scheme.lower()}://{bucket}", key


def _store(root: str) -> "ObjectStore":
    client: ClientConfig = {
        "connect_timeout": timedelta(seconds=5),
        "timeout": timedelta(seconds=60),
        # Options given here replace those of the environment: this one is for object stores inside a cluster.
        "allow_http": os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true"),
    }
    retry: RetryConfig = {"max_retries": 5, "retry_timeout": timedelta(seconds=90)}
    return obstore.store.from_url(root, client_options=client, retry_config=retry)


@functools.lru_cache(maxsize=16)
def _kept_store(root: str, settings: tuple[tuple[str, str], ...]) -> "ObjectStore":
    """Give the same store, and so its open connections, for as long as the environment says the same."""
    return _store(root)


def _settings() -> tuple[tuple[str, str], ...]:
    return tuple(item for item in os.environ.items() if item[0].startswith(("AWS_", "GOOGLE_", "AZURE_")))


def _look(store: "ObjectStore", key: str) -> tuple[str, "list[ObjectMeta]"]:
    """Give the folder that names are relative to, and the objects."""
    if listing.has_magic(key):
        matches, folder = _matcher(key), listing.fixed_prefix(key)
        return folder, [meta for meta in _list(store, folder) if matches(meta["path"])]
    if key and not key.endswith("/"):
        try:
            return os.path.dirname(key), [obstore.head(store, key)]
        except FileNotFoundError:
            pass
    return key.rstrip("/"), list(_list(store, key.rstrip("/")))


def _list(store: "ObjectStore", folder: str) -> "Iterator[ObjectMeta]":
    for count, page in enumerate(obstore.list(store, folder or None, chunk_size=_LIST_CHUNK)):
        if count * _LIST_CHUNK > listing.MAX_FILES:
            return
        for meta in page:
            name = _relative(meta["path"], folder)
            # An empty object without an extension is how consoles mark a folder.
            is_marker = meta["size"] == 0 and "." not in name
            if not listing.is_hidden(name) and not is_marker:
                yield meta


def _relative(path: str, folder: str) -> str:
    return path[len(folder) :].lstrip("/")


def _matcher(pattern: str) -> Callable[[str], object]:
    """Translate a glob: ``*`` and ``?`` stay within a folder, ``**`` does not."""
    parts = re.split(r"(\*\*/?|\*|\?|\[[^]]+\])", pattern)
    return re.compile("".join(map(_translate, parts))).fullmatch


def _translate(part: str) -> str:
    if part.startswith("[") and part.endswith("]"):
        return "[^" + part[2:] if part.startswith("[!") else part
    return _WILDCARDS.get(part) or re.escape(part)


def _file(store: "ObjectStore", root: str, folder: str, meta: "ObjectMeta") -> File:
    path = meta["path"]
    stamp = meta["e_tag"] or f"{meta['size']}-{meta['last_modified'].isoformat()}"
    opening = functools.partial(_open, store, path, meta["size"])
    return File(_relative(path, folder), f"{root}/{path}", meta["size"], stamp, opening)


def _open(store: "ObjectStore", path: str, size: int) -> BinaryIO:
    reader = obstore.open_reader(store, path, buffer_size=_READ_BYTES, size=size)
    return cast(BinaryIO, io.BufferedReader(_Raw(reader), io.DEFAULT_BUFFER_SIZE * 32))


class _Raw(io.RawIOBase):
    """An object as the file that line, gzip and Parquet readers expect; requests are short and retried."""

    def __init__(self, reader: "ReadableFile") -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._reader.seek(offset, whence)

    def tell(self) -> int:
        return self._reader.tell()

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        try:
            chunk = self._reader.read(len(buffer))
        except BaseError as err:
            raise OSError(_describe(err)) from None
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _describe(err: Exception) -> str:
    """Say in one line what a store said, without what changes from try to try and without signed queries."""
    said = re.search(r"<Message>([^<]+)", str(err))
    line = said[1] if said else str(err).partition("\n")[0]
    line = re.sub(r" in [\d.]+(ns|µs|ms|s)\b", "", line)
    return re.sub(r"https?://\S+", lambda match: urls.redact(match[0]), line)
