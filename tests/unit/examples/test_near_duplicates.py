"""Fingerprints estimate how many phrases two texts share."""

import math

import numpy as np
import pyarrow as pa
import pytest

from support import examples

minhash = examples.module("near_duplicates", "processors.minhash")
fingerprint = examples.module("near_duplicates", "processors.fingerprint")

# Four standard deviations of a mean of 256 signs.
TOLERANCE = 4 / math.sqrt(256)


def words(start: int, stop: int) -> str:
    return " ".join(f"word{number}" for number in range(start, stop))


@pytest.mark.parametrize("shared", [0, 100, 250, 400, 500])
def test_cosine_estimates_the_share_of_common_phrases(shared: int) -> None:
    first, second = words(0, 502), words(500 - shared, 1002 - shared)

    cosine = minhash.fingerprint(first) @ minhash.fingerprint(second)

    assert cosine == pytest.approx(shared / (1000 - shared), abs=TOLERANCE)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("Green tea, please!", "green TEA please", id="case and punctuation"),
        pytest.param("a b c d a b c d", "a b c d a b c d a b c d", id="a repetition"),
        pytest.param("one\n two   three", "one two three", id="blanks"),
    ],
)
def test_texts_with_the_same_phrases_have_the_same_fingerprint(first: str, second: str) -> None:
    np.testing.assert_array_equal(minhash.fingerprint(first), minhash.fingerprint(second))


def test_fingerprint_never_changes() -> None:
    bits = minhash.fingerprint("green tea is not roasted") > 0

    assert np.packbits(bits)[:8].tobytes().hex() == "6ddcd142b178c18b"


@pytest.mark.parametrize("text", ["", " \n", "… !"], ids=["empty", "blank", "punctuation"])
def test_text_without_words_has_no_fingerprint(text: str) -> None:
    assert minhash.fingerprint(text) is None


def test_step_adds_its_columns_and_keeps_the_others() -> None:
    batch = pa.table({"object_id": ["a", "b", "c"], "data": ["Größe und\nmehr", "", None]})

    rows = fingerprint.FingerprintTexts()(batch)

    assert rows.drop_columns(["fingerprint"]).to_pydict() == {
        **batch.to_pydict(),
        "characters": [14, 0, None],
        "words": [3, 0, None],
        "lines": [2, 1, None],
    }
    assert rows.column("fingerprint").is_valid().to_pylist() == [True, False, False]
    assert rows.schema.field("fingerprint").type == pa.list_(pa.float32(), 256)
