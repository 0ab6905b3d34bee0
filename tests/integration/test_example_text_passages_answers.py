"""The example's model against the plain library: all-MiniLM-L6-v2 in NumPy and in sentence-transformers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support import peers, text_passages

pytestmark = pytest.mark.integration

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


def test_vectors_are_the_plain_librarys(tmp_path: Path) -> None:
    extractor, source = text_passages.prepare(tmp_path)
    topics = [json.loads(line)["text"] for line in source.read_text().splitlines()]
    split: Any = text_passages.module("processors.passages", extractor).split
    texts = [*UNUSUAL, *(passage for topic in topics[-10:] for passage in split(topic, 100))]

    ours = text_passages.module("processors.minilm", extractor).load().encode(texts)

    theirs = peers.run(text_passages.PEER, {"model": str(text_passages.model()), "texts": texts}, timeout=300)
    np.testing.assert_allclose(ours, np.array(theirs), atol=1e-5, rtol=0)
