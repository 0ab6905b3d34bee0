"""Headers of safetensors files are judged as the library judges them."""

import json

import pytest
import safetensors
from hypothesis import example, given, settings
from hypothesis import strategies as st

from support.archives import extractor, judge_bytes, rejections
from support.model_files import safetensors as file
from support.model_files import safetensors_of as file_of
from support.model_files import tensor


def judged(content: bytes) -> set[str]:
    return rejections(judge_bytes(extractor({"weights/model.safetensors": content})))


def is_taken(content: bytes) -> bool:
    try:
        safetensors.deserialize(content)
    except safetensors.SafetensorError:
        return False
    return True


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            file({"a": tensor("F32", [2, 2], 0, 16), "b": tensor("I64", [1], 16, 24)}, bytes(24)), id="two"
        ),
        pytest.param(
            file({"b": tensor("U8", [1], 1, 2), "a": tensor("U8", [1], 0, 1)}, bytes(2)), id="unordered"
        ),
        pytest.param(
            file({"__metadata__": {"format": "pt"}, "a": tensor("BF16", [], 0, 2)}, bytes(2)), id="notes"
        ),
        pytest.param(file({"a": tensor("F4", [2], 0, 1)}, bytes(1)), id="halves of bytes"),
        pytest.param(
            file({"a": tensor("F32", [0, 9], 0, 0), "b": tensor("F32", [0], 0, 0)}), id="none of them"
        ),
        pytest.param(file({}), id="nothing at all"),
        pytest.param(file_of(b"{}      "), id="padding"),
        pytest.param(
            file({"a": {**tensor("U8", [1], 0, 1), "x": [1]}}, b"x"), id="a field that nobody reads"
        ),
        pytest.param(file({"größe \U0001f600": tensor("U8", [1], 0, 1)}, b"x"), id="any name"),
    ],
)
def test_valid_files_are_accepted(content: bytes) -> None:
    assert (judged(content), is_taken(content)) == (set(), True)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param((1 << 40).to_bytes(8, "little") + b"{}", id="a header longer than the file"),
        pytest.param(file({})[:5], id="a cut"),
        pytest.param(b"", id="no bytes"),
        pytest.param(
            file({"a": tensor("F32", [4], 0, 16), "b": tensor("F32", [2], 8, 16)}, bytes(16)), id="overlap"
        ),
        pytest.param(file({"a": tensor("U8", [1], 1, 2)}, bytes(2)), id="a gap"),
        pytest.param(file({}, b"x"), id="bytes behind"),
        pytest.param(file({"a": tensor("U8", [4], 0, 4)}, bytes(3)), id="bytes missing"),
        pytest.param(file({"a": tensor("F32", [3], 0, 16)}, bytes(16)), id="a shape of other size"),
        pytest.param(file({"a": tensor("F4", [1], 0, 1)}, bytes(1)), id="half a byte"),
        pytest.param(file({"a": tensor("U8", [2**62, 4], 0, 0)}), id="a shape that overflows"),
        pytest.param(file({"a": tensor("U8", [-1, -1], 0, 1)}, b"x"), id="negative shapes"),
        pytest.param(file({"a": tensor("U8", [1], 1, 0)}, b"x"), id="an end before the start"),
        pytest.param(file({"a": tensor("O", [1], 0, 1)}, b"x"), id="an unknown type"),
        pytest.param(
            file({"a": {"dtype": "U8", "shape": [1.0], "data_offsets": [0, 1]}}, b"x"), id="fractions"
        ),
        pytest.param(file({"a": {"dtype": "U8", "shape": [1]}}, b"x"), id="no offsets"),
        pytest.param(file({"a": 1}), id="no tensor"),
        pytest.param(file({"__metadata__": {"a": 1}}), id="notes that are no text"),
        pytest.param(file([]), id="a list"),
        pytest.param(file_of(b""), id="an empty header"),
        pytest.param(file_of(b"{}{}"), id="two headers"),
        pytest.param(file_of(b'{"a'), id="broken JSON"),
        pytest.param(file_of(b'{"\xff":1}'), id="no text"),
        pytest.param(file_of(b'{"__metadata__":{"\\ud800":""}}'), id="half a character"),
        pytest.param(file_of(b"[" * 100_000), id="deep nesting"),
        pytest.param(file_of(b'{"a":' + b"9" * 5000 + b"}"), id="a number that takes forever"),
        pytest.param(file_of(b'{"__metadata__":NaN}'), id="a constant of JavaScript"),
    ],
)
def test_what_the_library_refuses_is_rejected(content: bytes) -> None:
    assert (judged(content), is_taken(content)) == ({"W03"}, False)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(
            b'{"a":%s,"a":%s}' % ((json.dumps(tensor("U8", [1], 0, 1)).encode(),) * 2), id="a tensor twice"
        ),
        pytest.param(
            b'{"__metadata__":{"a":"b","a":"c"},"a":%s}' % json.dumps(tensor("U8", [1], 0, 1)).encode(),
            id="a note twice",
        ),
        pytest.param(b'{"a":["U8",[1],[0,1]]}', id="a list for an object"),
    ],
)
def test_what_readers_may_see_differently_is_rejected(header: bytes) -> None:
    assert judged(file_of(header, b"x")) == {"W03"}


def test_the_librarys_words_are_printable() -> None:
    content = file({"\x1b[31m": tensor("U8", [1], 1, 2)}, b"xy")

    (finding,) = judge_bytes(extractor({"weights/model.safetensors": content})).findings

    assert finding.problem.message.endswith(r"invalid offset for tensor `\x1b[31m`")


NUMBERS = st.integers(-1, 9)
TENSORS = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["U8", "F16", "F4", "F6_E2M3", "C64", "X"]),
        "shape": st.lists(NUMBERS, max_size=3),
        "data_offsets": st.lists(NUMBERS, min_size=2, max_size=2),
    }
)


@settings(max_examples=200, deadline=None)
@given(tensors=st.dictionaries(st.text(max_size=3), TENSORS, max_size=3), size=st.integers(0, 9))
@example(tensors={"a": tensor("F16", [2], 0, 4), "b": tensor("U8", [], 4, 5)}, size=5)
def test_verdicts_are_the_librarys(tensors: dict[str, object], size: int) -> None:
    content = file(tensors, bytes(size))

    assert (judged(content) == set()) is is_taken(content)
