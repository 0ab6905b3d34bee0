"""What others wrote, made fit for a message: a printable line, without credentials, cut where it is long."""

import re

CHARACTERS = 300
_LAST = 10

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_URL = re.compile(
    r"\b([a-z][a-z0-9+.-]{0,15}://)(?:[^\s/\"'<>]*@)?([^\s?#\"'<>]*)(?:[?#][^\s\"'<>]*)?", re.IGNORECASE
)
_BEARER = re.compile(r"(\bbearer|\bauthorization: \w+)\s+[^\s\"',;]+", re.IGNORECASE)
_NAMED = re.compile(
    r"\b([\w-]{0,40}(?:token|password|passwd|secret|api[_-]?key|access[_-]?key|signature|credential)[\w-]{0,40})"
    r"([\"']?\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|[^\s\"',;]+)",
    re.IGNORECASE,
)
_OURS = re.compile(r"(?:extractor|extractor_\w+(?:\.\w+)+): (?P<said>.+)")
"""How our processes begin the sentence that they end with, and how a traceback does that ends with one."""
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt)(?::.*)?")


def quote(text: str, characters: int = CHARACTERS) -> str:
    """Make text of an author, a registry or Kubernetes fit to be repeated."""
    # What is far beyond the cut is not searched: it may have been made to be slow.
    line = _without_credentials(_COLOUR.sub("", text[: 4 * characters]))
    line = " ".join("".join(each if each.isprintable() or each.isspace() else "?" for each in line).split())
    return line if len(line) <= characters else f"{line[: characters - 2]} …"


def raised(text: str) -> str:
    """Find in a traceback or log what was raised, or else what was said last."""
    lines = [line.strip() for line in _COLOUR.sub("", text).splitlines() if line.strip()]
    # Further up it is what somebody caught and logged.
    for line in reversed(lines[-_LAST:]):
        own = _OURS.fullmatch(line)
        if own:
            return quote(own["said"])
        if _EXCEPTION.fullmatch(line):
            return quote(line)
    return quote(lines[-1]) if lines else ""


def _without_credentials(text: str) -> str:
    text = _URL.sub(r"\1\2", text)
    text = _NAMED.sub(r"\1\2…", text)
    return _BEARER.sub(r"\1 …", text)
