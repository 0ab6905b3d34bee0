"""What is made of a provider's answer, without a server."""

import email.utils
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pydantic
import pytest

from extractor_runtime.sdk.container.calls import Failure
from extractor_runtime.sdk.container.schemas import Form


class Refused(Exception):
    """An error as providers' libraries raise it."""

    def __init__(self, status: int, body: str = "", **headers: str) -> None:
        super().__init__("the library's own words")
        self.response = httpx2.Response(status, text=body, headers=headers)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_what_may_go_over_is_tried_again(status: int) -> None:
    assert Failure.of(Refused(status)).is_transient


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 413, 422])
def test_what_stays_as_it_is_is_not(status: int) -> None:
    assert not Failure.of(Refused(status)).is_transient


@pytest.mark.parametrize("error", [httpx2.ConnectError("refused"), httpx2.ReadTimeout("slow")])
def test_a_connection_that_fails_is_tried_again_also_inside_a_librarys_error(error: Exception) -> None:
    wrapped = RuntimeError("Connection error.")
    wrapped.__cause__ = error

    assert Failure.of(error) == Failure.of(wrapped)
    assert Failure.of(error).is_transient


@pytest.mark.parametrize(
    ("header", "want"),
    [
        (lambda: "7", 7.0),
        (lambda: "0.5", 0.5),
        (lambda: "-1", 0.0),
        (lambda: "soon", 0.0),
        (lambda: email.utils.formatdate(time.time() + 100, usegmt=True), 100.0),
        (lambda: email.utils.formatdate(time.time() - 100, usegmt=True), 0.0),
    ],
    ids=["seconds", "a part of one", "less than none", "no time", "a date", "a date gone by"],
)
def test_retry_after_is_read_in_seconds_or_as_a_date(header: Callable[[], str], want: float) -> None:
    failure = Failure.of(Refused(429, **{"retry-after": header()}))

    assert failure.retry_after == pytest.approx(want, abs=2)


def test_retry_after_in_milliseconds_is_the_finer_one() -> None:
    refused = Refused(429, **{"retry-after": "2", "retry-after-ms": "1250"})

    assert Failure.of(refused).retry_after == 1.25


@pytest.mark.parametrize(
    ("body", "want"),
    [
        ('{"error": {"message": "no\\nmoney"}}', "answered 402: no money; check the endpoint's URL"),
        ('{"message": "no money"}', "answered 402: no money; check the endpoint's URL"),
        ('{"error": "no money"}', "answered 402: no money; check the endpoint's URL"),
        ("<h1>no money</h1>", "answered 402: <h1>no money</h1>; check the endpoint's URL"),
    ],
    ids=["as all three say it", "without a frame", "as text", "as a page"],
)
def test_the_providers_message_is_what_is_said(body: str, want: str) -> None:
    assert Failure.of(Refused(402, body)).message == want


class Tags(pydantic.BaseModel):
    tags: list[str] = []


@pytest.mark.parametrize(
    ("schema", "text", "want"),
    [
        (None, " as it is ", " as it is "),
        ({"type": "object"}, '{"a": 1}', {"a": 1}),
        ({"type": "object"}, '```json\n{"a": 1}\n```', {"a": 1}),
        ({"type": "array"}, "```\n[1]```\n", [1]),
        (Tags, '{"tags": ["x"], "more": 1}', {"tags": ["x"]}),
        (Tags, "{}", {"tags": []}),
    ],
    ids=["text", "an object", "in Markdown", "an array in Markdown", "a class", "a class's defaults"],
)
def test_an_answer_is_read_in_the_form_that_was_asked_for(schema: Any, text: str, want: Any) -> None:
    assert Form.of(schema).read(text) == want
