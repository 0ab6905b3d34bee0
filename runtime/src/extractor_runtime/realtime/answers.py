"""What an answer must be: an object of JSON that holds what was asked for, as the manifest declares it.

A query vector that is too short, a score for another pair, a decision that is the text "false": each would be
taken for something by whoever asked. They are refused where they are made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from extractor_apis.manifest import Manifest, VectorFeature
from extractor_runtime import errors
from extractor_runtime.realtime import json_form

_SINGLE = "embedding"
_MANY = "embeddings"


@dataclass(frozen=True)
class Expected:
    """What the answer to one request has to hold; made before the author's code can change the request."""

    manifest: Manifest
    feature: VectorFeature | None
    """The feature that ``embedding`` and ``embeddings`` are vectors of."""
    vector: bool
    """Whether a vector was asked for."""
    texts: int | None
    """How many texts ``embeddings`` are of, if several were given."""
    pairs: int | None
    """How many scores were asked for."""
    prompt: bool
    """Whether a text or a decision about a document was asked for."""

    @classmethod
    def of(cls, inputs: Mapping[str, Any], manifest: Manifest) -> "Expected":
        """Tell from the inputs what is asked for."""
        named = inputs.get("vector_index")
        feature = manifest.feature(named) if isinstance(named, str) else None
        if feature is None and len(manifest.vectors) == 1:
            feature = manifest.vectors[0]
        embeds = manifest.inference_type == "embedding" and not inputs.keys().isdisjoint(("text", "texts"))
        return cls(
            manifest=manifest,
            feature=feature,
            vector=feature is not None and ("vector_index" in inputs or embeds),
            texts=_length(inputs.get("texts")),
            pairs=_length(inputs.get("pairs")),
            prompt="prompt" in inputs and "document" in inputs,
        )

    def check(self, answer: object) -> dict[str, Any]:
        """Return the answer as JSON has it, or raise AuthorError for the promise that it breaks."""
        try:
            document = json_form.plain(answer)
        except json_form.NoJsonError as error:
            place = f"'{error.path}'" if error.path else "the answer"
            raise errors.AuthorError(f"{place} {error.reason}") from None
        if not isinstance(document, dict):
            raise errors.AuthorError(f"the answer is a {type(answer).__name__}, not a dict")
        self._check_vectors(document)
        if self.pairs is not None:
            _check_scores(document.get("scores"), self.pairs)
        self._check_decision(document)
        return document

    def _check_vectors(self, document: dict[str, Any]) -> None:
        for key in document.keys() & {feature.name for feature in self.manifest.vectors}:
            feature = self.manifest.feature(key)
            assert feature is not None
            _check_vector(key, document[key], feature)
        if self.feature is None:
            return
        if _SINGLE in document and self.manifest.feature(_SINGLE) is None:
            _check_vector(_SINGLE, document[_SINGLE], self.feature)
        if _MANY in document and self.manifest.feature(_MANY) is None:
            _check_many(document[_MANY], self.feature, self.texts)
        if self.vector:
            _pick(document, self.manifest, self.feature)

    def _check_decision(self, document: dict[str, Any]) -> None:
        if self.prompt and document.keys().isdisjoint(("text", "keep")):
            raise errors.AuthorError(
                "a prompt about a document asks for 'text' (to enrich) or 'keep' and 'reason' (to filter); "
                f"the answer holds {_keys(document)}"
            )
        if self.prompt and "text" in document:
            _check_type(document, "text", str)
        if "keep" in document:
            _check_type(document, "keep", bool)
            if self.prompt:
                _check_type(document, "reason", str)


def embedding(answer: Mapping[str, Any], manifest: Manifest, feature: VectorFeature) -> list[float]:
    """Pick a feature's query vector: under its own name, else ``embedding``, else in ``embeddings``."""
    vector = _pick(answer, manifest, feature)
    _check_vector(feature.name, vector, feature)
    return [float(number) for number in vector]


def _pick(answer: Mapping[str, Any], manifest: Manifest, feature: VectorFeature) -> Any:
    many = answer.get(_MANY)
    first = many[0] if isinstance(many, list) and many else None
    value = answer.get(feature.name, answer.get(_SINGLE, first))
    if value is None:
        raise errors.AuthorError(
            f"{manifest.uri} answered without a vector for {feature.name}: expected the key {feature.name!r} "
            f"or {_SINGLE!r}, found {_keys(answer)}"
        )
    return value


def _check_many(value: Any, feature: VectorFeature, texts: int | None) -> None:
    if not isinstance(value, list):
        raise errors.AuthorError(f"{_MANY!r} is no list of vectors but a {type(value).__name__}")
    if texts is not None and len(value) != texts:
        raise errors.AuthorError(f"{_MANY!r} holds {len(value)} vectors for {texts} texts")
    for index, vector in enumerate(value):
        _check_vector(f"{_MANY}[{index}]", vector, feature)


def _check_vector(key: str, value: Any, feature: VectorFeature) -> None:
    try:
        # Too large for 32 bits is infinite, which is told below.
        with np.errstate(over="ignore"):
            vector = np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError):
        vector = None
    if vector is None or vector.ndim != 1:
        raise errors.AuthorError(f"{key!r} is no list of numbers, as the vector feature {feature.name} needs")
    if len(vector) != feature.dimensions:
        raise errors.AuthorError(
            f"{key!r} has {len(vector)} dimensions, but {feature.name} is declared with {feature.dimensions}"
        )
    if not np.isfinite(vector).all():
        raise errors.AuthorError(f"{key!r} holds NaN or infinity, which {feature.name} cannot be searched by")


def _check_scores(scores: Any, pairs: int) -> None:
    if not isinstance(scores, list) or not all(type(score) in (int, float) for score in scores):
        raise errors.AuthorError("pairs ask for 'scores', a list of numbers, and the answer holds none")
    if len(scores) != pairs:
        raise errors.AuthorError(f"'scores' holds {len(scores)} numbers for {pairs} pairs")


def _check_type(document: dict[str, Any], key: str, wanted: type) -> None:
    if not isinstance(document.get(key), wanted):
        found = f"is a {type(document[key]).__name__}" if key in document else "is missing"
        raise errors.AuthorError(f"{key!r} {found}: it must be a {wanted.__name__}")


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, list) else None


def _keys(document: Mapping[str, Any]) -> str:
    return ", ".join(sorted(map(repr, document))) or "none"
