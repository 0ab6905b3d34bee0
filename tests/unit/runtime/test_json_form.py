"""What an author's values are in JSON, and where one has no form there."""

import dataclasses
import datetime
import enum
from typing import Any

import numpy as np
import pydantic
import pytest

from extractor_runtime.realtime import json_form


@dataclasses.dataclass
class Point:
    x: float
    label: Any = None


class Model(pydantic.BaseModel):
    size: int = 3


class Colour(enum.StrEnum):
    GREEN = "green"


class Broken:
    def tolist(self) -> None:
        raise ValueError("no list today")


FORMS: dict[str, tuple[Any, Any]] = {
    "numbers of NumPy": ([np.float32(0.5), np.int64(1), np.bool_(True)], [0.5, 1, True]),
    "a 64-bit float of NumPy, which is Python's too": (np.float64(0.5), 0.5),
    "an array": (np.array([[1.0, 2.0]]), [[1.0, 2.0]]),
    "an array without dimensions": (np.array(3), 3),
    "an array deep down": ({"a": [{"b": np.array([1])}]}, {"a": [{"b": [1]}]}),
    "a tuple": ((1, "a", None), [1, "a", None]),
    "large floats, whose sum is infinite": ([1e308, 1e308], [1e308, 1e308]),
    "a dataclass": (Point(1.0, Point(2.0)), {"x": 1.0, "label": {"x": 2.0, "label": None}}),
    "a model of pydantic": (Model(), {"size": 3}),
    "an enum": (Colour.GREEN, "green"),
    "a date": (datetime.date(2026, 1, 2), "2026-01-02"),
    "numbers for keys": ({1: "a", np.str_("b"): 2}, {"1": "a", "b": 2}),
}


@pytest.mark.parametrize(("value", "want"), FORMS.values(), ids=FORMS)
def test_form_of(value: Any, want: Any) -> None:
    got = json_form.plain(value)

    assert got == want
    assert type(got) is type(want)


LOOP: list[Any] = []
LOOP.append(LOOP)
NONE: dict[str, tuple[Any, str, str]] = {
    "NaN": ({"scores": [0.5, float("nan")]}, "scores[1]", "is nan, which JSON does not have"),
    "infinity in an array": ({"a": {"b": np.array([[np.inf]])}}, "a.b[0][0]", "is inf, which JSON"),
    "bytes": ({"image": b"\xff"}, "image", "is a bytes, which JSON does not have: encode them as base64"),
    "a set": ([{"tags": {"a"}}], "[0].tags", "is a set, which JSON does not have: return a list"),
    "a generator": ({"all": (one for one in "ab")}, "all", "is a generator"),
    "an object": (object(), "", "is a object, which JSON does not have"),
    "a class": (Model, "", "is a ModelMetaclass, which JSON does not have"),
    "a complex number": (np.array([1j]), "[0]", "is a complex, which JSON does not have"),
    "a key that is a tuple": ({(1, 2): 3}, "", "has a tuple for a key"),
    "a list that holds itself": (LOOP, "[0]" * 101, "is nested too deep, or holds itself"),
    "a conversion that raises": ({"a": Broken()}, "a", "is a Broken, which fails with ValueError: no list"),
}


@pytest.mark.parametrize(("value", "path", "reason"), NONE.values(), ids=NONE)
def test_no_form_of(value: Any, path: str, reason: str) -> None:
    with pytest.raises(json_form.NoJsonError) as caught:
        json_form.plain(value)

    assert caught.value.path == path
    assert caught.value.reason.startswith(reason)
