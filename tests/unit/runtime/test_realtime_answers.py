"""What is checked of an answer, and which vector a query takes from it."""

from typing import Any

import numpy as np
import pytest

from extractor_apis.manifest import Manifest
from extractor_runtime import answers, errors


def manifest(*names: str) -> Manifest:
    features = [
        {"feature_type": "embedding", "feature_name": name, "embedding_dim": 2, "distance_metric": "cosine"}
        for name in names
    ]
    return Manifest.from_names({"name": "tiny", "version": "1.0.0", "features": features})


KEPT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "an array becomes a list": ({"embedding": np.array([1.0, 2.0])}, {"embedding": [1.0, 2.0]}),
    "a list of arrays becomes lists": ({"embeddings": [np.array([1, 2])]}, {"embeddings": [[1, 2]]}),
    "an array of vectors becomes lists": ({"embeddings": np.array([[1, 2]])}, {"embeddings": [[1, 2]]}),
    "scores are nobody's vector": ({"scores": [0.1, 0.2, 0.3]}, {"scores": [0.1, 0.2, 0.3]}),
    "an extra vector keeps its own size": ({"other": np.zeros(3)}, {"other": [0.0, 0.0, 0.0]}),
}


@pytest.mark.parametrize(("answer", "want"), KEPT.values(), ids=KEPT)
def test_good_answer_is_kept(answer: dict[str, Any], want: dict[str, Any]) -> None:
    assert answers.check(answer, {}, manifest("vector")) == want


REFUSED: dict[str, tuple[Any, str]] = {
    "text": ("hello", "is a str, not a dict"),
    "nothing": (None, "is a NoneType, not a dict"),
    "a vector of words": ({"vector": ["a", "b"]}, "'vector' is no list of numbers"),
    "a nested vector": ({"embedding": [[1.0, 2.0]]}, "'embedding' is no list of numbers"),
    "no vector": ({"vector": None}, "'vector' is no list of numbers"),
    "one of many too short": ({"embeddings": [[1, 2], [1]]}, r"'embeddings\[1\]' has 1 dimensions"),
    "one vector for many": ({"embeddings": 3}, "'embeddings' is no list of vectors but a int"),
    "infinity": ({"vector": [float("inf"), 0]}, "'vector' holds NaN or infinity"),
}


@pytest.mark.parametrize(("answer", "want"), REFUSED.values(), ids=REFUSED)
def test_broken_answer_is_refused(answer: Any, want: str) -> None:
    with pytest.raises(errors.AuthorError, match=want):
        answers.check(answer, {}, manifest("vector"))


def test_vector_index_says_which_feature_the_embedding_is_for() -> None:
    two = Manifest.from_names(
        {
            "name": "tiny",
            "version": "1.0.0",
            "features": [
                {"name": "short", "type": "vector", "dimensions": 1, "distance": "dot"},
                {"name": "long", "type": "vector", "dimensions": 3, "distance": "dot"},
            ],
        }
    )

    assert answers.check({"embedding": [1, 2, 3]}, {"vector_index": "long"}, two) == {"embedding": [1, 2, 3]}
    with pytest.raises(errors.AuthorError, match="has 3 dimensions"):
        answers.check({"embedding": [1, 2, 3]}, {"vector_index": "short"}, two)


PICKED: dict[str, dict[str, Any]] = {
    "the feature's own key": {"vector": [1, 2], "embedding": [3, 4]},
    "embedding": {"embedding": [1, 2], "embeddings": [[3, 4]]},
    "the first of embeddings": {"embeddings": [[1, 2], [3, 4]]},
}


@pytest.mark.parametrize("answer", PICKED.values(), ids=PICKED)
def test_query_takes(answer: dict[str, Any]) -> None:
    declared = manifest("vector")

    assert answers.embedding(answer, declared, declared.vectors[0]) == [1.0, 2.0]


def test_answer_without_a_vector_says_what_it_has() -> None:
    declared = manifest("vector")

    with pytest.raises(errors.AuthorError, match=r"without a vector .* found 'scores', 'text'"):
        answers.embedding({"text": "", "scores": []}, declared, declared.vectors[0])
