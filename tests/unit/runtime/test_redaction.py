"""No secret's value in a text that this process makes."""

import json
import logging
import urllib.parse
from collections.abc import Callable, Iterator

import pytest

from extractor_runtime import errors, redaction

VALUE = "p/w+d é\n'quoted'"


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget what a test made this process remember."""
    factory = logging.getLogRecordFactory()
    monkeypatch.setattr(redaction, "_names", {})
    yield
    logging.setLogRecordFactory(factory)


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        json.dumps,
        urllib.parse.quote,
        urllib.parse.quote_plus,
        lambda value: urllib.parse.quote(value, safe=""),
        lambda value: " ".join(value.split()),
        lambda value: f"{value}{value}",
    ],
    ids=["itself", "repr", "JSON", "a URL's path", "a form", "a URL's query", "on one line", "twice"],
)
def test_a_value_is_taken_out_however_it_is_written(show: Callable[[str], str]) -> None:
    redaction.remember("TOKEN", VALUE)

    redacted = redaction.redact(f"refused: {show(VALUE)}!")

    assert "[secret TOKEN]" in redacted
    assert "quoted" not in redacted


def test_the_longer_of_two_values_is_taken_out_whole() -> None:
    redaction.remember("SHORT", "abcd")
    redaction.remember("LONG", "abcdefgh")

    assert redaction.redact("abcdefgh abcd") == "[secret LONG] [secret SHORT]"


def test_a_value_too_short_to_be_told_from_text_stays() -> None:
    redaction.remember("PIN", "123")

    assert redaction.redact("line 123") == "line 123"


def test_an_exception_of_the_authors_is_described_without_the_value() -> None:
    redaction.remember("TOKEN", "x" * 600)

    described = errors.describe(ValueError(f"bad token {'x' * 600} here"))

    assert described == "ValueError: bad token [secret TOKEN] here"


def test_log_records_are_without_it_also_those_of_exceptions(caplog: pytest.LogCaptureFixture) -> None:
    redaction.remember("TOKEN", "tell-no-one")
    log = logging.getLogger("some.client")
    # What ran before in this process may have turned logging down.
    caplog.set_level(logging.WARNING)

    try:
        raise ValueError("tell-no-one")
    except ValueError:
        log.exception("sent %s", {"authorization": "tell-no-one"})
    log.warning("nothing to hide: %d", 1)
    log.warning("too much: %d", "tell-no-one", 2)

    assert "tell-no-one" not in caplog.text
    assert "ValueError: [secret TOKEN]" in caplog.text
    assert caplog.messages == [
        "sent {'authorization': '[secret TOKEN]'}",
        "nothing to hide: 1",
        "too much: %d ('[secret TOKEN]', 2)",
    ]


def test_an_error_of_the_authors_quotes_no_secret() -> None:
    redaction.remember("TOKEN", VALUE)

    error = errors.AuthorError(f"step Tag returned the object_id {VALUE}", "pipeline.py:3")

    assert error.message == "step Tag returned the object_id [secret TOKEN]"
    assert str(error) == "pipeline.py:3: step Tag returned the object_id [secret TOKEN]"
