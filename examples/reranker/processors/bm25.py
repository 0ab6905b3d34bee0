"""BM25: a document answers a query by the words that both have, and the rarer a word, the more it says.

How rare a word is, and how long a document usually is, is counted among the documents given: scores of one
call compare with each other, and with no other call's.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

_WORD = re.compile(r"\w+")
# How soon repeating a word stops to help, and how much of a long document's advantage is taken back.
_SATURATION = 1.2
_LENGTH = 0.75


def scores(query: str, documents: Sequence[str]) -> list[float]:
    """Score documents against a query, in their order; 0 for one that has none of its words."""
    counts = [Counter(_words(document)) for document in documents]
    lengths = [count.total() for count in counts]
    usual = sum(lengths) / len(lengths) if any(lengths) else 1.0
    weights = {word: _rarity(word, counts) for word in set(_words(query))}
    return [
        sum(weight * _gain(count[word], length / usual) for word, weight in weights.items())
        for count, length in zip(counts, lengths, strict=True)
    ]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _rarity(word: str, counts: Sequence[Counter[str]]) -> float:
    having = sum(1 for count in counts if word in count)
    return math.log1p((len(counts) - having + 0.5) / (having + 0.5))


def _gain(times: int, length: float) -> float:
    return times * (_SATURATION + 1) / (times + _SATURATION * (1 - _LENGTH + _LENGTH * length))
