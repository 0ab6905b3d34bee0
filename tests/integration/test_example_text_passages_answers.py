"""The example answers as the plain library would: all-MiniLM-L6-v2 in NumPy against sentence-transformers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support import peers, text_passages

pytestmark = pytest.mark.integration

QUESTIONS = text_passages.script().QUESTIONS
ANSWERS = (
    "Programs are strongly recommended to explicitly close such objects",
    "evaluated once, when the function is defined",
    "object.__getattr__(self, name) Called when the default attribute access fails",
    "Return a copy of the string with the leading and trailing characters removed",
    'It terminates the nearest enclosing loop, skipping the optional "else" clause',
)
UNUSUAL = (
    "",
    " \n\t ",
    "word " * 1000,
    "wordwithoutend" * 200,
    "Ünïcödé ﬁne — “quotes”, ½ ∞",
    "机器学习 と 日本語 한국어",
    "👩‍👩‍👧 🇩🇪 zero\u200bwidth \u202eright-to-left",
    "[CLS] special [SEP] tokens [PAD] [MASK]",
    "tabs\tand\x00control\x07characters\r\n",
    "x",
)
PEER = """
def run(request):
    from sentence_transformers import SentenceTransformer
    model = SentenceTransformer(request["model"], device="cpu")
    return model.encode(request["texts"], normalize_embeddings=True).tolist()
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return text_passages.prepare(tmp_path_factory.mktemp("example"))


@pytest.fixture(scope="module")
def passages(prepared: tuple[Path, Path]) -> list[str]:
    """Every passage of every topic, as the pipeline cuts them by default."""
    extractor, source = prepared
    splitter = text_passages.module("processors.passages", extractor)
    bound = splitter.PassageConfig().max_words
    topics = [json.loads(line)["text"] for line in source.read_text().splitlines()]
    return [passage for topic in topics for passage in splitter.split(topic, bound)]


@pytest.fixture(scope="module")
def texts(passages: list[str]) -> list[str]:
    return [*passages, *QUESTIONS, *UNUSUAL]


@pytest.fixture(scope="module")
def ours(prepared: tuple[Path, Path], texts: list[str]) -> Any:
    return text_passages.module("processors.minilm", prepared[0]).load().encode(texts)


@pytest.fixture(scope="module")
def theirs(texts: list[str]) -> Any:
    request = {"model": str(text_passages.model()), "texts": texts}
    return np.array(peers.run(PEER, request, timeout=900))


def test_vectors_are_the_plain_librarys(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=0)


@pytest.mark.parametrize("question", range(len(QUESTIONS)), ids=QUESTIONS)
def test_ranking_is_the_plain_librarys(question: int, passages: list[str], ours: Any, theirs: Any) -> None:
    our_scores, their_scores = (scores(vectors, len(passages), question) for vectors in (ours, theirs))

    best_of_ours, best_of_theirs = (list(ranked(passages, each))[:10] for each in (our_scores, their_scores))
    apart = their_scores[:, None] - their_scores > 1e-5
    assert best_of_ours == best_of_theirs
    assert (our_scores[:, None] > our_scores)[apart].all()


@pytest.mark.parametrize(("question", "answer"), list(enumerate(ANSWERS)), ids=QUESTIONS)
def test_best_passages_answer_the_question(
    question: int, answer: str, passages: list[str], ours: Any
) -> None:
    best = list(ranked(passages, scores(ours, len(passages), question)))[:3]

    assert any(answer in " ".join(passage.split()) for passage in best)


def scores(vectors: Any, passages: int, question: int) -> Any:
    return vectors[:passages] @ vectors[passages + question]


def ranked(passages: list[str], scores: Any) -> Iterator[str]:
    return (passages[row] for row in np.argsort(-scores, kind="stable"))
