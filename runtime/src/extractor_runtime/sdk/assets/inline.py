"""Assets that are their own address: ``data:`` URLs (RFC 2397)."""

import base64
import binascii
import urllib.parse

from extractor_artifacts.spool import Spool
from extractor_runtime.sdk.assets.errors import AssetError


def decode(url: str, spool: Spool) -> str | None:
    """Gather the bytes of a data: URL in the spool, and give their media type."""
    header, comma, payload = url[len("data:") :].partition(",")
    if not comma:
        raise AssetError("a data: URL has no comma: write data:image/png;base64,…")
    media_type, *parameters = header.split(";")
    if "base64" in (parameter.strip().lower() for parameter in parameters):
        spool.expect(len(payload) * 3 // 4 - 2)
        spool.write(_from_base64(urllib.parse.unquote(payload)))
    else:
        spool.write(urllib.parse.unquote_to_bytes(payload))
    return media_type or None


def _from_base64(text: str) -> bytes:
    # Line breaks are common, and the padding is often left out.
    compact = "".join(text.split()).rstrip("=")
    try:
        return base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except binascii.Error as err:
        raise AssetError(f"a data: URL is not valid base64: {err}") from None
