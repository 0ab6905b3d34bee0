"""Documents that answer a query with its own, rare words come first."""

from typing import Any

import pytest

from support import examples

bm25 = examples.module("reranker", "processors.bm25")
service = examples.module("reranker", "realtime").InferenceService()


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        pytest.param("green tea", "green tea", "green field", id="more of the words"),
        pytest.param("the tea", "tea house", "the house", id="the rarer word"),
        pytest.param("tea", "tea tea field", "tea blue field", id="the word twice"),
        pytest.param("tea", "tea", "tea and many other words beside", id="the shorter one"),
        pytest.param("TEA", "Tea", "coffee", id="in any case"),
        pytest.param("grün", "GRÜN", "grun", id="in any alphabet"),
    ],
)
def test_better_answer_scores_higher(query: str, better: str, worse: str) -> None:
    first, second, *_ = bm25.scores(query, [better, worse, "the end", "the start"])

    assert first > second


@pytest.mark.parametrize(
    "documents", [[], [""], ["", "…"], ["coffee"]], ids=["none", "an empty one", "no words", "other words"]
)
def test_document_without_the_words_scores_zero(documents: list[str]) -> None:
    assert bm25.scores("tea", documents) == [0.0] * len(documents)


def test_scores_are_in_the_order_of_the_pairs_whatever_query_they_have() -> None:
    pairs = [["tea", "tea"], ["coffee", "tea"], ["tea", "coffee"], ["coffee", "coffee"]]

    scores = service.run_inference({"pairs": pairs}, {})["scores"]

    assert [score > 0 for score in scores] == [True, False, False, True]


def test_pairs_of_another_query_change_no_score() -> None:
    pairs = [["tea", "green tea"], ["tea", "coffee"]]

    together = service.run_inference({"pairs": [*pairs, ["coffee", "tea tea tea"]]}, {})["scores"]

    assert together[:2] == service.run_inference({"pairs": pairs}, {})["scores"]


@pytest.mark.parametrize(
    "inputs",
    [{}, {"pairs": "tea"}, {"pairs": [["tea"]]}, {"pairs": [["tea", None]]}, {"pairs": ["ab"]}],
    ids=repr,
)
def test_request_without_pairs_says_what_to_send(inputs: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="inputs hold no pairs: send"):
        service.run_inference(inputs, {})


def test_batch_run_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="answers at query time only"):
        examples.module("reranker", "pipeline").build_steps(extractor_request=None)
