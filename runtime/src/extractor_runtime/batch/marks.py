"""What is known of each row beside its columns: the steps that passed it by, and what it consumed.

Marks are a list beside the rows, never a column among the author's; only between two stages do they travel as
one.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import orjson

from extractor_apis.run import Usage
from extractor_runtime import usage

T = TypeVar("T")

MARK = "_extractor_mark"
"""The column in which marks travel from stage to stage."""


@dataclass(frozen=True)
class Mark:
    """One row's."""

    passed_by: bool = False
    """A step did not want it: its condition is another."""
    tried: frozenset[str] = frozenset()
    """Features that steps which did want it have written."""
    usage: Usage | None = None
    """What the author's calls for it consumed."""
    reason: str | None = None
    """What a call for it raised that did not end its step: why a vector is missing."""

    def excuses(self, feature: str) -> bool:
        """Tell whether the row may do without a vector: no step that makes it was there for such a row."""
        return self.passed_by and feature not in self.tried

    def charged(self, more: Usage | None) -> "Mark":
        """Add what was consumed."""
        if more is None:
            return self
        return replace(self, usage=more if self.usage is None else usage.summed([self.usage, more]))


PLAIN = Mark()


def plain(rows: int) -> list[Mark]:
    """Mark rows of which nothing is known."""
    return [PLAIN] * rows


def pass_by(marks: Sequence[Mark]) -> list[Mark]:
    """Mark rows that a step did not want."""
    return _each(marks, lambda mark: replace(mark, passed_by=True))


def try_features(marks: Sequence[Mark], features: frozenset[str]) -> list[Mark]:
    """Mark rows for which a step has written these features."""
    return _each(marks, lambda mark: replace(mark, tried=mark.tried | features))


def explain(marks: Sequence[Mark], reasons: Mapping[int, str]) -> list[Mark]:
    """Mark rows by index with why a call for them failed."""
    return [replace(mark, reason=reasons[row]) if row in reasons else mark for row, mark in enumerate(marks)]


def follow(marks: Sequence[Mark], before: Sequence[str], after: Sequence[str]) -> list[Mark]:
    """Carry the marks of rows (by object) over to what a step made of them.

    Where rows cannot be matched one to one, an object's rows all get what is known of any of them, and the
    first is charged with what they consumed together.
    """
    merged: dict[str, Mark] = {}
    for object_id, mark in zip(before, marks, strict=True):
        known = merged.get(object_id)
        merged[object_id] = (
            mark
            if known is None
            else replace(
                known.charged(mark.usage),
                passed_by=known.passed_by or mark.passed_by,
                tried=known.tried | mark.tried,
                reason=known.reason or mark.reason,
            )
        )
    carried = []
    for object_id in after:
        carried.append(merged[object_id])
        merged[object_id] = replace(merged[object_id], usage=None)
    return carried


def dump(marks: Sequence[Mark]) -> list[str | None]:
    """Write marks as JSON; None where there is nothing to tell."""
    return _each(marks, _dump)


def load(texts: Sequence[str | None]) -> list[Mark]:
    """Read what `dump` wrote."""
    return [PLAIN if text is None else _load(text) for text in texts]


def _each(marks: Sequence[Mark], change: Callable[[Mark], T]) -> list[T]:
    # Most rows share one mark: each is changed once, and its rows share the new one.
    changed = {id(mark): mark for mark in marks}
    made = {key: change(mark) for key, mark in changed.items()}
    return [made[id(mark)] for mark in marks]


def _dump(mark: Mark) -> str | None:
    if mark == PLAIN:
        return None
    consumed = mark.usage and mark.usage.model_dump()
    return orjson.dumps([mark.passed_by, sorted(mark.tried), consumed, mark.reason]).decode()


@functools.lru_cache(maxsize=64)
def _load(text: str) -> Mark:
    passed_by, tried, consumed, reason = orjson.loads(text)
    return Mark(passed_by, frozenset(tried), consumed and Usage.model_validate(consumed), reason)
