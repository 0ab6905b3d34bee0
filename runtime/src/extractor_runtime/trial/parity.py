"""Whether batch and realtime put the same input at the same place: what every search by a query relies on.

An object that became one document is compared with the answer to the object itself. One that became several
(passages) is compared document by document, each with the answer to its own text; where documents have no
text of their own (scenes of a video), no query means the same as one of them, and nothing is compared.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from extractor_apis.meta import Struct

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Document:
    """One document that the batch wrote."""

    document_id: str
    object_id: str
    vectors: Mapping[str, Vector]
    attributes: Mapping[str, Any]

    @property
    def text(self) -> str | None:
        """The text that is its own, where it is one of several of an object."""
        own = self.attributes.get("data") or self.attributes.get("text")
        return own if isinstance(own, str) else None


@dataclass(frozen=True)
class Answer:
    """The realtime half's vector for a sample, or for the text of one of its documents."""

    sample: str
    feature: str
    vector: Vector
    document_id: str | None = None
    """The document whose own text was asked with."""


@dataclass(frozen=True)
class Pair:
    """Two vectors that should be one."""

    sample: str
    feature: str
    cosine: float
    max_difference: float
    """The largest difference of two numbers at the same place."""
    distance: float
    """How far apart they are, in lengths of the batch's vector."""


class Parity(Struct):
    """How well batch and realtime agree on a feature."""

    feature: str
    compared: int
    """Pairs of vectors of the same input."""
    min_cosine: float
    max_difference: float
    """The largest difference of two numbers at the same place."""
    worst: str
    """The sample that agrees least."""


def pair(documents: Iterable[Document], answers: Iterable[Answer]) -> list[Pair]:
    """Compare each answer with the document of the same input, where there is one."""
    by_object: defaultdict[str, list[Document]] = defaultdict(list)
    for document in documents:
        by_object[document.object_id].append(document)
    pairs = []
    for answer in answers:
        same = [
            document
            for document in by_object[answer.sample]
            if answer.document_id in (None, document.document_id)
        ]
        if len(same) == 1 and answer.feature in same[0].vectors:
            pairs.append(compare(answer, same[0].vectors[answer.feature]))
    return pairs


def compare(answer: Answer, stored: Vector) -> Pair:
    """Compare an answer with the batch's vector of the same input."""
    one, other = stored.astype(np.float64), answer.vector.astype(np.float64)
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    # Two zero vectors are equal; a zero vector and another one have nothing in common.
    cosine = float(one @ other) / lengths if lengths else float(not one.any() and not other.any())
    difference = np.abs(one - other)
    return Pair(
        answer.sample,
        answer.feature,
        cosine=min(cosine, 1.0),
        max_difference=float(difference.max()),
        distance=float(np.linalg.norm(difference) / (np.linalg.norm(one) or 1.0)),
    )


def agrees(pair: Pair, min_cosine: float, *, by_direction: bool) -> bool:
    """Tell whether two vectors are the same for a search: by direction, or also by length."""
    # Unit vectors with that cosine are so far apart; where lengths count, nothing may be farther.
    return pair.cosine >= min_cosine and (by_direction or pair.distance <= math.sqrt(2 * (1 - min_cosine)))


def summarize(pairs: Sequence[Pair]) -> Parity:
    """Put the pairs of one feature into numbers."""
    worst = min(pairs, key=lambda pair: (pair.cosine, -pair.distance))
    return Parity(
        feature=worst.feature,
        compared=len(pairs),
        min_cosine=worst.cosine,
        max_difference=max(pair.max_difference for pair in pairs),
        worst=worst.sample,
    )
