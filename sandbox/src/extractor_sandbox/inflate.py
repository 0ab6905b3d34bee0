"""Inflate a range of an archive in pieces, and hold it to end where it should."""

from collections.abc import Iterator

from isal import isal_zlib

from extractor_sandbox.extent import PIECE, Extent
from extractor_sandbox.finding import Refused

RAW, GZIP = -15, 31

# The library's stubs declare its exception as an instance.
_Error: type[Exception] = isal_zlib.IsalError  # type: ignore[assignment]


def inflate(packed: Extent, window: int, path: str | None = None) -> Iterator[bytes]:
    """Inflate one stream, at most `PIECE` bytes at a time. Raises Refused if it is not exactly one."""
    engine = isal_zlib.decompressobj(window)
    left = packed.size
    # Small pieces go in, because what is not used yet is copied at every step of a well-compressed one.
    for piece in packed.pieces(PIECE // 16):
        left -= len(piece)
        while not engine.eof:
            try:
                inflated = engine.decompress(piece, PIECE)
            except _Error as err:
                raise Refused("Z08", "the compressed data is damaged", path) from err
            if inflated:
                yield inflated
            piece = engine.unconsumed_tail
            if not piece and len(inflated) < PIECE:
                break
        if engine.eof:
            break
    if not engine.eof or engine.unused_data or left:
        raise Refused("Z08", "the compressed data is cut off, or something follows it", path)
