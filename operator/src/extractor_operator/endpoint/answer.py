"""Answers: a file, or the part of it that is asked for; or one sentence that says why not."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

from aiohttp import hdrs, web

from extractor_apis.errors import ExtractorError

RETRY_SECONDS = 2
"""When who is told to try again shall do so."""
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class Shelved:
    """A file that may be sent."""

    path: Path
    tag: str
    """By which whoever fetched a part knows that it is still the same file."""


class Refused(ExtractorError):
    """A request that is answered with a sentence."""

    def __init__(self, status: int, code: str, detail: str, *, after: int | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.after = after
        """Seconds to wait before the next try."""


def problem(refused: Refused) -> web.Response:
    """Say it as RFC 9457 has it."""
    said = {
        "title": refused.code.replace("-", " "),
        "status": refused.status,
        "detail": str(refused),
        "code": refused.code,
    }
    headers = {hdrs.RETRY_AFTER: str(refused.after)} if refused.after else {}
    if refused.status == 401:
        headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    return web.Response(
        status=refused.status,
        body=json.dumps(said).encode(),
        headers=headers,
        content_type="application/problem+json",
    )


async def send(request: web.Request, shelved: Shelved) -> web.StreamResponse:
    """Send a file, in pieces that a thread reads: uvloop has no way to have the kernel send it.

    aiohttp's own response names a file by its time, which every use of a blob changes, and does not compare
    names in If-Range: whoever resumed would start over, or mix two files.
    """
    with shelved.path.open("rb") as file:
        size = file.seek(0, 2)
        etag = f'"{shelved.tag}"'
        first, end = _part(request, etag, size)
        is_part = (first, end) != (0, size)
        response = web.StreamResponse(status=206 if is_part else 200)
        response.headers[hdrs.ETAG] = etag
        response.headers[hdrs.ACCEPT_RANGES] = "bytes"
        response.content_type = "application/octet-stream"
        response.content_length = end - first
        if is_part:
            response.headers[hdrs.CONTENT_RANGE] = f"bytes {first}-{end - 1}/{size}"
        await response.prepare(request)
        if request.method != hdrs.METH_HEAD:
            file.seek(first)
            for at in range(first, end, _PIECE_BYTES):
                await response.write(await asyncio.to_thread(file.read, min(_PIECE_BYTES, end - at)))
        await response.write_eof()
    return response


def _part(request: web.Request, etag: str, size: int) -> tuple[int, int]:
    """Say from which byte up to which one the request wants."""
    if request.headers.get(hdrs.IF_RANGE, etag) != etag:
        return 0, size
    try:
        asked = request.http_range
    except ValueError:
        return 0, size
    first, end, _ = slice(asked.start, asked.stop).indices(size)
    if asked.start is not None and first >= end:
        detail = f"there are {size} bytes, and the range {request.headers[hdrs.RANGE]!r} has none of them"
        raise Refused(416, "range-not-satisfiable", detail)
    return first, end
