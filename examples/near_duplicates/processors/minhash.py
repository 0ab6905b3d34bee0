"""One-bit MinHash: a fingerprint whose cosine estimates how many phrases two texts share.

A text is the set of its phrases of three words. A hash function orders all phrases, and how often two texts
have the same first one is the share of phrases that they have in common (their Jaccard similarity). Of that
phrase's hash one bit is kept, as +1 or -1, for each of 256 functions. Bits of different phrases agree half of
the time, so that the cosine of two fingerprints estimates the similarity, within 0.06.
"""

import hashlib
import re
import zlib

import numpy as np
import numpy.typing as npt

BITS = 256
"""Hash functions, and dimensions of the vector."""

_PHRASE_WORDS = 3
_WORD = re.compile(r"\w+")
# Multiply-shift hashing: any odd multipliers do, if they stay the same for ever. NumPy's random ones may not.
_RANDOM = np.frombuffer(hashlib.shake_128(b"near_duplicates").digest(16 * BITS), "<u8").reshape(2, BITS)
_MULTIPLIERS, _OFFSETS = _RANDOM[0] | np.uint64(1), _RANDOM[1]
_FUNCTIONS = list(zip(_MULTIPLIERS, _OFFSETS, strict=True))


def fingerprint(text: str) -> npt.NDArray[np.float32] | None:
    """Fingerprint a text as a vector of unit length; None if it has no words."""
    hashes = np.array([zlib.crc32(phrase.encode()) for phrase in _phrases(text)], np.uint64)
    if not len(hashes):
        return None
    # A function at a time: all at once would take 2 KiB a phrase, and texts may be books.
    first = [(hashes * multiplier + offset).min() for multiplier, offset in _FUNCTIONS]
    bits = np.array(first) >> np.uint64(32) & np.uint64(1)
    return (bits * 2.0 - 1.0).astype(np.float32) / np.float32(BITS**0.5)


def _phrases(text: str) -> set[str]:
    words = _WORD.findall(text.casefold())
    last = max(len(words) - _PHRASE_WORDS, 0)
    return {" ".join(words[start : start + _PHRASE_WORDS]) for start in range(last + 1)} - {""}
