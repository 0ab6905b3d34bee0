"""`make demo`'s script, and what it prints against what the plain library says of the same passages."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extractor_stores import Store
from extractor_stores.rows import DOCUMENTS
from support import peers, text_passages

pytestmark = pytest.mark.e2e

QUESTIONS = text_passages.script().QUESTIONS


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder and the output of one demo."""
    text_passages.model()
    into = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, text_passages.EXAMPLES / "demo.py", "--into", into],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    return into, done.stdout


@pytest.fixture(scope="module")
def passages(demo: tuple[Path, str]) -> list[dict[str, Any]]:
    """Every document that the demo published."""
    with Store.open(demo[0] / "store", create=False) as store:
        [record] = store.records()
        rows = [
            row
            for batch in store.published(record).scan(["document_id", "document"], DOCUMENTS)
            for row in batch.to_pylist()
        ]
    return [json.loads(row["document"]) for row in sorted(rows, key=lambda row: str(row["document_id"]))]


@pytest.fixture(scope="module")
def scores(passages: list[dict[str, Any]]) -> Any:
    """What the plain library says: one row a question, one column a passage."""
    texts = [*QUESTIONS, *(passage["text"] for passage in passages)]
    request = {"model": str(text_passages.model()), "texts": texts}
    vectors = np.array(peers.run(text_passages.PEER, request, timeout=900))
    return vectors[: len(QUESTIONS)] @ vectors[len(QUESTIONS) :].T


@pytest.mark.parametrize("question", range(len(QUESTIONS)), ids=QUESTIONS)
def test_answers_are_ranked_exactly_as_by_the_plain_library(
    demo: tuple[Path, str], passages: list[dict[str, Any]], scores: Any, question: int
) -> None:
    printed = demo[1].partition(f"Q: {QUESTIONS[question]}\n")[2].partition("\nQ: ")[0]
    answers = re.findall(r"^(\d)\. (-?\d\.\d{4})  (\S+)\n((?:   .*\n)+)", printed, re.MULTILINE)

    best = np.argsort(-scores[question], kind="stable")[:3]
    assert [(int(rank), object_id) for rank, _, object_id, _ in answers] == [
        (rank, passages[row]["object_id"]) for rank, row in enumerate(best, 1)
    ]
    assert [float(score) for _, score, _, _ in answers] == pytest.approx(scores[question, best], abs=1e-4)
    for row, (_, _, _, shown) in zip(best, answers, strict=True):
        words = " ".join(shown.split()).removesuffix(" …")
        assert " ".join(passages[row]["text"].split()).startswith(words)


def test_it_ends_with_what_to_try_next(demo: tuple[Path, str]) -> None:
    assert "── What to try next\n" in demo[1]
