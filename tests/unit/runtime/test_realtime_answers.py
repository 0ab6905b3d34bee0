"""What is checked of an answer, and which vector a query takes from it."""

from typing import Any

import numpy as np
import pytest

from extractor_apis.manifest import Manifest
from extractor_runtime import errors
from extractor_runtime.realtime import answers


def manifest(*names: str, **fields: Any) -> Manifest:
    features = [
        {"feature_type": "embedding", "feature_name": name, "embedding_dim": 2, "distance_metric": "cosine"}
        for name in names
    ]
    return Manifest.from_names({"name": "tiny", "version": "1.0.0", "features": features, **fields})


def check(answer: Any, declared: Manifest, **inputs: Any) -> dict[str, Any]:
    return answers.Expected.of(inputs, declared).check(answer)


KEPT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "an array becomes a list": ({"embedding": np.array([1.0, 2.0])}, {"embedding": [1.0, 2.0]}),
    "a list of arrays becomes lists": ({"embeddings": [np.array([1, 2])]}, {"embeddings": [[1, 2]]}),
    "an array of vectors becomes lists": ({"embeddings": np.array([[1, 2]])}, {"embeddings": [[1, 2]]}),
    "scores are nobody's vector": ({"scores": [0.1, 0.2, 0.3]}, {"scores": [0.1, 0.2, 0.3]}),
    "an extra vector keeps its own size": ({"other": np.zeros(3)}, {"other": [0.0, 0.0, 0.0]}),
}


@pytest.mark.parametrize(("answer", "want"), KEPT.values(), ids=KEPT)
def test_good_answer_is_kept(answer: dict[str, Any], want: dict[str, Any]) -> None:
    assert check(answer, manifest("vector")) == want


REFUSED: dict[str, tuple[Any, str]] = {
    "text": ("hello", "is a str, not a dict"),
    "nothing": (None, "is a NoneType, not a dict"),
    "a vector of words": ({"vector": ["a", "b"]}, "'vector' is no list of numbers"),
    "a nested vector": ({"embedding": [[1.0, 2.0]]}, "'embedding' is no list of numbers"),
    "no vector": ({"vector": None}, "'vector' is no list of numbers"),
    "one of many too short": ({"embeddings": [[1, 2], [1]]}, r"'embeddings\[1\]' has 1 dimensions"),
    "one vector for many": ({"embeddings": 3}, "'embeddings' is no list of vectors but a int"),
    "infinity": ({"vector": [float("inf"), 0]}, r"'vector\[0\]' is inf, which JSON does not have"),
    "infinity as a 32-bit number": ({"vector": [1e300, 0]}, "'vector' holds NaN or infinity"),
    "a decision in words": ({"keep": "false"}, "'keep' is a str: it must be a bool"),
}


@pytest.mark.parametrize(("answer", "want"), REFUSED.values(), ids=REFUSED)
def test_broken_answer_is_refused(answer: Any, want: str) -> None:
    with pytest.raises(errors.AuthorError, match=want):
        check(answer, manifest("vector"))


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

    assert check({"embedding": [1, 2, 3]}, two, vector_index="long") == {"embedding": [1, 2, 3]}
    with pytest.raises(errors.AuthorError, match="has 3 dimensions"):
        check({"embedding": [1, 2, 3]}, two, vector_index="short")


PAIRS = {"pairs": [["green", "tea"], ["green", "car"]]}
PROMPT = {"prompt": "is it tea?", "document": {"text": "sencha"}}
ASKED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "scores of pairs": (PAIRS, {"scores": [0.9, 0.1]}),
    "whole numbers as scores": (PAIRS, {"scores": [1, 0]}),
    "no scores of no pairs": ({"pairs": []}, {"scores": []}),
    "a text about a document": (PROMPT, {"text": "it is"}),
    "a decision about a document": (PROMPT, {"keep": True, "reason": "it is green"}),
    "a gate's decision": ({"segment": "s3://live/1.ts"}, {"keep": False, "motion": 0.1}),
    "a vector by its name": ({"text": "tea", "vector_index": "vector"}, {"vector": [1, 2]}),
    "vectors of texts": ({"texts": ["tea", "car"]}, {"embeddings": [[1, 2], [3, 4]]}),
}


@pytest.mark.parametrize(("inputs", "answer"), ASKED.values(), ids=ASKED)
def test_answer_to_what_was_asked_is_kept(inputs: dict[str, Any], answer: dict[str, Any]) -> None:
    assert check(answer, manifest("vector", inference_type="embedding"), **inputs) == answer


MISSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no scores": (PAIRS, {"rank": [0, 1]}, "pairs ask for 'scores', a list of numbers"),
    "too few scores": (PAIRS, {"scores": [0.9]}, "'scores' holds 1 numbers for 2 pairs"),
    "scores in words": (PAIRS, {"scores": ["high", "low"]}, "pairs ask for 'scores', a list of numbers"),
    "yes and no for scores": (PAIRS, {"scores": [True, False]}, "pairs ask for 'scores', a list of numbers"),
    "a score that is NaN": (PAIRS, {"scores": [0.9, float("nan")]}, r"'scores\[1\]' is nan, which JSON"),
    "neither text nor decision": (PROMPT, {"answer": "yes"}, "asks for 'text' .* holds 'answer'"),
    "a text that is none": (PROMPT, {"text": None}, "'text' is a NoneType: it must be a str"),
    "a decision without a reason": (PROMPT, {"keep": True}, "'reason' is missing: it must be a str"),
    "a decision that is a number": (PROMPT, {"keep": 1, "reason": ""}, "'keep' is a int: it must be a bool"),
    "no vector": ({"text": "tea"}, {"label": "tea"}, "without a vector for vector: .* found 'label'"),
    "a vector too few": ({"texts": ["a", "b"]}, {"embeddings": [[1, 2]]}, "holds 1 vectors for 2 texts"),
}


@pytest.mark.parametrize(("inputs", "answer", "want"), MISSED.values(), ids=MISSED)
def test_answer_to_something_else_is_refused(
    inputs: dict[str, Any], answer: dict[str, Any], want: str
) -> None:
    with pytest.raises(errors.AuthorError, match=want):
        check(answer, manifest("vector", inference_type="embedding"), **inputs)


def test_classifier_with_a_vector_may_answer_without_it() -> None:
    assert check({"label": "tea"}, manifest("vector"), text="sencha") == {"label": "tea"}


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
