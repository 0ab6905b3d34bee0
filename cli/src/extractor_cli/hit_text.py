"""A found document for people: what it says; or which file it is, where in it, and what is known."""

import textwrap
from collections.abc import Iterator
from typing import Any

_WIDTH = 100
_FIXED = {"document_id", "object_id", "collection_id", "mime_type", "data", "text", "metadata"}
_SPANS = (("start_time", "end_time"), ("start_seconds", "end_seconds"), ("start", "end"))
_LONG = 8
"""Items from which a list is a vector, or as good as one, and not for reading."""


def describe(rank: int, score: float, document: dict[str, Any]) -> str:
    """Write an answer: rank, score, object, time, and under it the text, or the file and its attributes."""
    data, text = document.get("data"), document.get("text")
    is_file = not str(document.get("mime_type") or "text/").startswith("text/")
    body = text if is_file or text else data
    heading = f"{rank}. {score:.4f}  {document['object_id']}{_time(document)}"
    return "\n".join(
        [
            heading,
            *([f"   {data}"] if is_file and data else []),
            *_wrapped(" ".join(str(body or "").split()), lines=4),
            *(_wrapped(", ".join(_attributes(document)), lines=2) if is_file else []),
        ]
    )


def _time(document: dict[str, Any]) -> str:
    for start, end in _SPANS:
        one, other = document.get(start), document.get(end)
        if _is_number(one) and _is_number(other):
            return f"  {one:g} to {other:g} s"
    return ""


def _attributes(document: dict[str, Any]) -> Iterator[str]:
    times = {name for span in _SPANS for name in span} if _time(document) else set()
    for name, value in document.items():
        if name in _FIXED or name in times or value is None:
            continue
        if isinstance(value, list | dict) and len(value) > _LONG:
            continue
        yield f"{name}: {round(value, 4) if isinstance(value, float) else value}"


def _wrapped(text: str, *, lines: int) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent="   ", subsequent_indent="   ", max_lines=lines, placeholder=" …"
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
