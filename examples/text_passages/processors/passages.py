"""Passages: pieces of a text that are short enough to embed and whole enough to read."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

# Underlined headings, as in reStructuredText; one that directly follows another belongs to the same section.
_HEADINGS = re.compile(r"(?:^\S.*\n([=*~^-])\1{2,}(?:\s+|\Z))+", re.MULTILINE)
_WORD = re.compile(r"\S+")
_SENTENCE_END = re.compile(r"[.!?][)\]\"'\u2019\u201d]*\Z")

# How good a place for a cut is: its kind and, between paragraphs, how little the next one is indented.
Rank = tuple[int, int]
_IN_LINE, _LINE_END, _SENTENCE, _PARAGRAPH = range(4)


@dataclass(frozen=True)
class PassageConfig:
    """The extractor's parameters."""

    max_words: int = 100

    def __post_init__(self) -> None:
        if type(self.max_words) is not int or self.max_words < 1:
            raise ValueError(f"max_words is {self.max_words!r}: give a whole number, 1 or more")


class SplitPassages:
    """Makes of each row one row a passage."""

    def __init__(self, config: PassageConfig, progress_actor: Any = None) -> None:
        self._max_words = config.max_words

    def __call__(self, batch: pd.DataFrame) -> pd.DataFrame:
        """Repeat every row for its passages, which replace ``text``; a row without text has none."""
        passages = [split(text, self._max_words) if isinstance(text, str) else [] for text in batch["text"]]
        rows = batch.assign(text=pd.Series(passages, index=batch.index, dtype=object))
        return rows.explode("text").dropna(subset=["text"]).reset_index(drop=True)


def split(text: str, max_words: int) -> list[str]:
    """Cut a text into passages of at most ``max_words`` words, which have all of its words, in order.

    A heading begins a passage. A section that is too long is cut into passages of at least a third of the
    bound, where it reads best: between paragraphs, else after a sentence, else at the end of a line.
    """
    return [passage for section in _sections(text) for passage in _passages(section, max_words)]


def _sections(text: str) -> Iterator[str]:
    start = 0
    for headings in _HEADINGS.finditer(text):
        yield text[start : headings.start()]
        start = headings.start()
    yield text[start:]


def _passages(section: str, max_words: int) -> Iterator[str]:
    words = list(_WORD.finditer(section))
    ranks = list(_ranks(section, words))
    start = end = 0
    while start < len(words):
        stop = _stop(ranks, start, max_words)
        last = words[stop - 1].end()
        yield textwrap.dedent(section[end:last]).strip()
        start, end = stop, last


def _stop(ranks: Sequence[Rank], start: int, max_words: int) -> int:
    """Choose the word before which a passage ends: the best place, the last of equals, leaving no crumbs."""
    left = len(ranks) - start
    if left <= max_words:
        return len(ranks)
    shortest = max(1, max_words // 3)
    longest = min(max_words, left - shortest)
    return max(range(start + shortest, start + longest + 1), key=lambda stop: (ranks[stop], stop))


def _ranks(section: str, words: Sequence[re.Match[str]]) -> Iterator[Rank]:
    """Rank, for each word, the place before it."""
    headings = _HEADINGS.match(section)
    body = headings.end() if headings else 0
    previous, end, indent = "", 0, 0
    for word in words:
        gap = section[end : word.start()]
        lines = gap.count("\n")
        rank = (_IN_LINE, 0)
        if lines > 1 or word.start() <= body:
            above, indent = indent, len(gap) - gap.rfind("\n") - 1
            # What is indented deeper belongs to what is above it: an example, a definition, a list's item.
            if indent <= above and word.start() > body:
                rank = (_PARAGRAPH, -indent)
        elif _SENTENCE_END.search(previous):
            rank = (_SENTENCE, 0)
        elif lines:
            rank = (_LINE_END, 0)
        yield rank
        previous, end = word.group(), word.end()
