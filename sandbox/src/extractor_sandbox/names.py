"""What a member may be called."""

import re
import unicodedata

_MAX_SEGMENTS = 16
_MAX_SEGMENT_BYTES = 255
_MAX_BYTES = 512
_PLAIN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?", re.ASCII)
# Control, format, surrogate, private, unassigned, and the two separators that count as line ends.
_REFUSED_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def find_fault(path: str) -> str | None:
    """Say what is wrong with a member's path; None if nothing is."""
    segments = path.split("/")
    if len(segments) > _MAX_SEGMENTS:
        return f"the path has more than {_MAX_SEGMENTS} segments"
    if len(path.encode()) > _MAX_BYTES:
        return f"the path is longer than {_MAX_BYTES} bytes"
    if not path.isascii() and path.endswith((".py", ".pyi")):
        return "the path of a module is not plain ASCII"
    return next((fault for segment in segments if (fault := _find_segment_fault(segment))), None)


def fold(path: str) -> str:
    """Spell a path so that two which some file system takes for one are equal."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _find_segment_fault(segment: str) -> str | None:
    if _PLAIN.fullmatch(segment) and len(segment) <= _MAX_SEGMENT_BYTES:
        return None
    if not segment:
        return "the path starts or ends with a slash, or has two in a row"
    if segment in (".", ".."):
        return f"the path has a segment {segment!r}"
    if len(segment.encode()) > _MAX_SEGMENT_BYTES:
        return f"a segment is longer than {_MAX_SEGMENT_BYTES} bytes"
    if "\\" in segment or ":" in segment:
        return "the path has a backslash or colon"
    if segment != segment.strip() or segment.endswith("."):
        return "a segment starts or ends with a blank, or ends with a dot"
    if any(unicodedata.category(char) in _REFUSED_CATEGORIES for char in segment):
        return "the path has control, format, private or unassigned characters"
    if not unicodedata.is_normalized("NFC", segment):
        return "the path is not in Unicode normal form C"
    return None
