"""What an answer must be: an object of JSON, whose vectors are those that the manifest declares.

A query vector that is too short, or NaN, would find nothing or anything: it is refused where it is made.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from extractor_apis.manifest import Manifest, VectorFeature
from extractor_runtime import errors

_SINGLE = "embedding"
_MANY = "embeddings"


def check(answer: object, inputs: Mapping[str, Any], manifest: Manifest) -> dict[str, Any]:
    """Return the answer with arrays as lists, or raise AuthorError for the promise that it breaks."""
    if not isinstance(answer, Mapping):
        raise errors.AuthorError(f"the answer is a {type(answer).__name__}, not a dict")
    asked = _asked_feature(inputs, manifest)
    checked = {}
    for key, value in answer.items():
        value = _plain(value)
        feature = manifest.feature(key) if isinstance(key, str) else None
        if feature is not None:
            _check_vector(key, value, feature)
        elif asked is not None and key == _SINGLE:
            _check_vector(key, value, asked)
        elif asked is not None and key == _MANY:
            _check_vectors(value, asked)
        checked[key] = value
    return checked


def embedding(answer: Mapping[str, Any], manifest: Manifest, feature: VectorFeature) -> list[float]:
    """Pick a feature's query vector: under its own name, else ``embedding``, else in ``embeddings``."""
    many = answer.get(_MANY)
    first = many[0] if isinstance(many, list) and many else None
    value = answer.get(feature.name, answer.get(_SINGLE, first))
    if value is None:
        raise errors.AuthorError(
            f"{manifest.uri} answered without a vector for {feature.name}: expected the key {feature.name!r} "
            f"or {_SINGLE!r}, found {', '.join(sorted(map(repr, answer))) or 'none'}"
        )
    vector = _plain(value)
    _check_vector(feature.name, vector, feature)
    return [float(number) for number in vector]


def _asked_feature(inputs: Mapping[str, Any], manifest: Manifest) -> VectorFeature | None:
    name = inputs.get("vector_index")
    if isinstance(name, str) and (feature := manifest.feature(name)):
        return feature
    return manifest.vectors[0] if len(manifest.vectors) == 1 else None


def _plain(value: Any) -> Any:
    """Turn an array or tensor, or a list of them, into lists."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, list | tuple) and value and hasattr(value[0], "tolist"):
        return [_plain(item) for item in value]
    return value


def _check_vectors(value: Any, feature: VectorFeature) -> None:
    if not isinstance(value, list | tuple):
        raise errors.AuthorError(f"{_MANY!r} is no list of vectors but a {type(value).__name__}")
    for index, vector in enumerate(value):
        _check_vector(f"{_MANY}[{index}]", vector, feature)


def _check_vector(key: str, value: Any, feature: VectorFeature) -> None:
    try:
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
