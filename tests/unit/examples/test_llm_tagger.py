"""Every text is asked about once, and a text that fails says why."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from support import examples

tags = examples.module("llm_tagger", "processors.tags")


class Model:
    """Answers with the text's words, and fails for what it is told to, so many times."""

    def __init__(self, failures: dict[str, int] | None = None) -> None:
        self.asked: list[str] = []
        self._failures = failures or {}

    async def generate(self, instruction: str, *, text: str, schema: Any, **_: Any) -> Any:
        self.asked.append(text)
        if self._failures.get(text, 0) > 0:
            self._failures[text] -= 1
            raise RuntimeError(f"no answer for {text}")
        return SimpleNamespace(data={"topics": text.split(), "language": "en", "summary": text.upper()})


def make_batch(*texts: str | None) -> pd.DataFrame:
    return pd.DataFrame({"object_id": [f"o{row}" for row in range(len(texts))], "data": texts}, dtype=object)


def test_columns_are_the_models_answers() -> None:
    rows = tags.TagTexts(tags.TagConfig(Model()))(make_batch("green tea", "coffee"))

    assert rows["topics"].tolist() == [["green", "tea"], ["coffee"]]
    assert rows["summary"].tolist() == ["GREEN TEA", "COFFEE"]
    assert rows["language"].tolist() == ["en", "en"]
    assert rows["object_id"].tolist() == ["o0", "o1"]


def test_call_that_fails_once_is_made_again() -> None:
    model = Model({"tea": 1})

    rows = tags.TagTexts(tags.TagConfig(model))(make_batch("tea", "coffee"))

    assert rows["topics"].tolist() == [["tea"], ["coffee"]]
    assert sorted(model.asked) == ["coffee", "tea", "tea"]


def test_text_that_fails_raises_its_reason_and_the_others_are_not_asked_again() -> None:
    model = Model({"tea": 9})
    step = tags.TagTexts(tags.TagConfig(model))

    with pytest.raises(RuntimeError, match="no answer for tea"):
        step(make_batch("tea", "coffee"))

    assert step(make_batch("coffee"))["topics"].tolist() == [["coffee"]]
    assert model.asked.count("coffee") == 1


@pytest.mark.parametrize("nothing", [None, ""], ids=["None", "empty"])
def test_row_without_text_is_an_error_and_no_question(nothing: str | None) -> None:
    model = Model()

    with pytest.raises(ValueError, match="there is no text to tag"):
        tags.TagTexts(tags.TagConfig(model))(make_batch(nothing))

    assert model.asked == []
