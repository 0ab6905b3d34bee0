"""Passages have all the words of their text, and are cut where a reader would cut."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import text_passages

passages = text_passages.module("processors.passages")

HEADING = "Title\n*****\n\n"
TEXTS = st.lists(
    st.sampled_from(
        [" ", "\n", "\n\n", "\n\n   ", "\n   ", "One", "two.", "three?", "======", "(four.)", HEADING, "\t"]
    )
    | st.text(max_size=5)
).map("".join)
BOUNDS = st.integers(min_value=1, max_value=12)


@given(TEXTS, BOUNDS)
def test_no_word_is_lost_and_none_is_added(text: str, max_words: int) -> None:
    assert [word for passage in passages.split(text, max_words) for word in passage.split()] == text.split()


@given(TEXTS, BOUNDS)
def test_every_passage_has_words_and_not_more_than_the_bound(text: str, max_words: int) -> None:
    assert all(1 <= len(passage.split()) <= max_words for passage in passages.split(text, max_words))


@given(st.lists(st.sampled_from(["one", "two.", "\n", "\n\n", "\n\n  three"])).map(" ".join), BOUNDS)
def test_no_passage_of_a_section_is_shorter_than_a_third_of_the_bound(text: str, max_words: int) -> None:
    cut = passages.split(text, max_words)

    assert len(cut) < 2 or min(len(passage.split()) for passage in cut) >= max_words // 3


@pytest.mark.parametrize(
    ("text", "max_words", "want"),
    [
        pytest.param("", 9, [], id="nothing has no passages"),
        pytest.param(" \n\n ", 9, [], id="blanks have no passages"),
        pytest.param("a b c", 9, ["a b c"], id="a short text is one passage"),
        pytest.param("a b c d", 2, ["a b", "c d"], id="the bound holds"),
        pytest.param("a b\n\nc d\n\ne f", 4, ["a b\n\nc d", "e f"], id="as many paragraphs as fit"),
        pytest.param("a b\n\nc d e. f g h", 6, ["a b", "c d e. f g h"], id="a paragraph before a sentence"),
        pytest.param("a b c. d e\nf", 5, ["a b c.", "d e\nf"], id="a sentence before a line"),
        pytest.param("a (b.) c d\ne", 4, ["a (b.)", "c d\ne"], id="brackets close a sentence"),
        pytest.param("a b c\nd e", 4, ["a b c", "d e"], id="a line before a word"),
        pytest.param("a b\n\nf:\n\n   x y", 4, ["a b", "f:\n\n   x y"], id="an example stays with its text"),
        pytest.param(
            "f\n\n  a b\n\n  c d\n\ng h",
            6,
            ["f\n\n  a b\n\n  c d", "g h"],
            id="less indented is a better cut",
        ),
        pytest.param("x y\n\n   a\n   b", 2, ["x y", "a\nb"], id="the indentation of a whole passage goes"),
        pytest.param("a\n\nHead\n====\n\nb", 9, ["a", "Head\n====\n\nb"], id="a heading begins a passage"),
        pytest.param(
            "A\n***\n\nB\n===\n\nc", 9, ["A\n***\n\nB\n===\n\nc"], id="headings in a row stay together"
        ),
        pytest.param(
            "Head\n====\n\na b. c d", 4, ["Head\n====\n\na b.", "c d"], id="a heading stays with what follows"
        ),
    ],
)
def test_text_is_cut_where_a_reader_would_cut(text: str, max_words: int, want: list[str]) -> None:
    assert passages.split(text, max_words) == want


def test_every_passage_of_a_row_keeps_the_other_columns() -> None:
    batch = pd.DataFrame(
        {"object_id": ["x", "y"], "text": ["a b c", "d"], "data": [None, "D"]}, dtype=object, index=[7, 9]
    )

    rows = passages.SplitPassages(passages.PassageConfig(max_words=2))(batch)

    want = {"object_id": ["x", "x", "y"], "text": ["a b", "c", "d"], "data": [None, None, "D"]}
    pd.testing.assert_frame_equal(rows, pd.DataFrame(want, dtype=object))


@pytest.mark.parametrize("nothing", [None, "", " \n ", float("nan")], ids=["None", "empty", "blank", "NaN"])
def test_row_without_text_has_no_passages(nothing: object) -> None:
    batch = pd.DataFrame({"object_id": ["x", "y"], "text": [nothing, "d"]}, dtype=object)

    rows = passages.SplitPassages(passages.PassageConfig())(batch)

    assert rows["object_id"].tolist() == ["y"]


@pytest.mark.parametrize("bound", [0, -1, 2.5, "100", True], ids=repr)
def test_bound_that_is_no_whole_number_from_one_is_refused(bound: object) -> None:
    with pytest.raises(ValueError, match=r"max_words is .*: give a whole number"):
        passages.PassageConfig(max_words=bound)
