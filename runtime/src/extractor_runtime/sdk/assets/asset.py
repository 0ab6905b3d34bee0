"""One asset: a path stays a path, a URL becomes a temporary file, whatever its scheme."""

import asyncio
import contextlib
import os
import re
import secrets
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from extractor_apis.errors import ExtractorError
from extractor_artifacts import urls
from extractor_artifacts.patience import Patience
from extractor_artifacts.spool import Spool
from extractor_runtime.sdk.assets import admission, inline, scratch
from extractor_runtime.sdk.assets.errors import AssetError
from extractor_runtime.sources import media

T = TypeVar("T")

MAX_BYTES = "EXTRACTOR_ASSET_MAX_BYTES"
"""Environment variable: bytes of one asset at most."""

_DEFAULT_MAX_BYTES = 2 * 1024**3
_PATIENCE = Patience(read=20.0, total=300.0, attempts=4, longest_pause=10.0)
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,10}")
_SHOWN = 200

Write = Callable[[Spool], str | None]
"""Gathers the bytes in a spool, and gives their media type if it is told."""


@contextlib.contextmanager
def open_asset(url: str | os.PathLike[str], suffix: str | None = None) -> Iterator[str]:
    """Give the path of a local file with the asset's bytes; a temporary one goes when the block ends.

    The file's name ends in ``suffix``, or as the URL or its content type says; a path is given as it is.
    Raises AssetError.
    """
    path, is_temporary = download_asset(url, suffix)
    try:
        yield path
    finally:
        if is_temporary:
            Path(path).unlink(missing_ok=True)


def download_asset(url: str | os.PathLike[str], suffix: str | None = None) -> tuple[str, bool]:
    """Give the path of a local file with the asset's bytes, and whether it is temporary: yours to remove.

    What is not removed goes with the process. Raises AssetError. Safe to call from many threads.
    """
    if not isinstance(url, str | os.PathLike) or not os.fspath(url):
        raise AssetError(f"an asset is named by a path or URL, not by {url!r:.100}: check the row's data")
    address = os.fspath(url)
    if _scheme(address) in ("", "file"):
        return _local(address), False
    try:
        return _fetched(address, suffix), True
    except AssetError:
        raise
    except ExtractorError as err:
        raise AssetError(str(err)) from err


resolve_url_to_local_path = download_asset
"""The older name, under which archives still import it."""


def _scheme(address: str) -> str:
    if address[:5].lower() == "data:":
        return "data"
    scheme, separator, _ = address.partition("://")
    return scheme.lower() if separator and scheme.isalnum() else ""


def _local(address: str) -> str:
    path = address
    if _scheme(address) == "file":
        parts = urllib.parse.urlsplit(address)
        if parts.netloc not in ("", "localhost"):
            raise AssetError(
                f"cannot open {_shown(address)}: a file:// URL names this machine; write file:///path"
            )
        path = urllib.request.url2pathname(parts.path)
    restricted = admission.current()
    if restricted is not None:
        restricted.check_prefix(os.path.realpath(path))
    try:
        is_file = os.path.isfile(path)
    except ValueError:
        is_file = False
    if not is_file:
        raise AssetError(f"there is no file {path[:_SHOWN]!r}: an asset is named by a path or URL")
    return path


def _fetched(address: str, suffix: str | None) -> str:
    write, name = _source(address)
    target = scratch.folder() / secrets.token_hex(8)
    with Spool(target, origin=_shown(address), max_bytes=_max_bytes()) as spool:
        content_type = write(spool)
        spool.commit(lasting=False)
    ending = suffix if suffix is not None else _extension(name, content_type)
    return str(target.rename(target.with_name(target.name + ending.replace("/", ""))))


def _source(address: str) -> tuple[Write, str]:
    """Choose who brings the bytes, and the name that may tell what they are."""
    restricted = admission.current()
    match _scheme(address):
        case "data":
            return lambda spool: inline.decode(address, spool), ""
        case "http" | "https":
            may_connect = restricted.may_connect if restricted is not None else None
            return lambda spool: _outside_loops(_download, address, spool, may_connect), urls.redact(address)
        case "s3" | "gs" | "az":
            if restricted is not None:
                restricted.check_prefix(address)
            # Object stores take a while to import: only who reads from one pays for it.
            from extractor_runtime.sources import remote

            return lambda spool: remote.download(address, spool), address
        case other:
            raise AssetError(
                f"cannot open {_shown(address)}: {other}:// is not supported; "
                "give a path, or a file://, https://, http://, s3://, gs://, az:// or data: URL"
            )


def _download(address: str, spool: Spool, may_connect: Callable[[str], bool] | None) -> str | None:
    from extractor_artifacts import download

    return download.download(address, spool, plain_http=True, patience=_PATIENCE, may_connect=may_connect)


def _outside_loops(function: Callable[..., T], *args: Any) -> T:
    """Call a function that runs an event loop, from a thread of its own where one runs already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return function(*args)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *args).result()


def _extension(name: str, content_type: str | None) -> str:
    extension = os.path.splitext(name.rpartition("/")[2])[1]
    told = media.extension((content_type or "").partition(";")[0].strip().lower())
    if not _EXTENSION.fullmatch(extension) or (told and not media.is_known(extension)):
        return told
    return extension


def _shown(address: str) -> str:
    return "the data: URL" if _scheme(address) == "data" else urls.redact(address)[:_SHOWN]


def _max_bytes() -> int:
    value = os.environ.get(MAX_BYTES, "")
    return int(value) if value.isdecimal() else _DEFAULT_MAX_BYTES
