"""What a language model that fails, and a question that cannot be asked, are told as."""

import logging
import pickle
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from extractor_runtime import errors
from extractor_runtime.sdk.container import ServiceContainer
from extractor_runtime.sdk.container.errors import LLMError
from support import llm_server, llms
from support.llm_server import Fault, LLMServer
from support.llms import PNG, PROVIDERS, SCHEMA, Tags, generate

pytestmark = pytest.mark.integration


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LLMServer]:
    monkeypatch.setenv(llms.KEY_VARIABLE, llms.KEY)
    with llm_server.serve() as server:
        yield server


@pytest.fixture
def container(server: LLMServer) -> ServiceContainer:
    return ServiceContainer.of(llms.make_services(server))


REFUSED = f'{{"error": {{"message": "wrong key {llms.KEY}", "type": "auth", "status": "DENIED"}}}}'.encode()


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("fault", "want", "status"),
    [
        (Fault(401, REFUSED), "answered 401: wrong key [secret KEY]; check the key", 401),
        (
            Fault(400, b'{"error": {"message": "no such schema"}}'),
            "answered 400: no such schema; check the model's name, the schema and the images",
            400,
        ),
        (Fault(404, b"nothing here"), "answered 404: nothing here; check the model's name and the", 404),
        (
            Fault(302, b"elsewhere", {"Location": "http://127.0.0.1:9/"}),
            "answered 302: elsewhere; check the endpoint's URL",
            302,
        ),
        (Fault(200, b"{broken"), "gave an answer that cannot be read (JSONDecodeError: ", None),
        (Fault(200, b"{}"), "gave an answer that cannot be read (", None),
        (
            Fault(200, b"<html>", {"Content-Type": "text/html"}),
            "gave an answer that cannot be read (",
            None,
        ),
        (
            Fault(200, b"x", {"Content-Encoding": "gzip"}),
            "gave an answer that cannot be read (AnswerTooLargeError: the endpoint compresses its answer",
            None,
        ),
        (
            Fault(200, b" " * (32 * 1024 * 1024 + 1)),
            "gave an answer that cannot be read (AnswerTooLargeError: the endpoint's answer is larger than",
            None,
        ),
    ],
    ids=[
        "a wrong key",
        "a bad request",
        "a wrong address",
        "a redirect",
        "malformed JSON",
        "an empty object",
        "a page",
        "a compressed answer",
        "an endless answer",
    ],
)
def test_what_fails_for_good_is_one_error_at_once(
    server: LLMServer,
    container: ServiceContainer,
    caplog: pytest.LogCaptureFixture,
    provider: str,
    fault: Fault,
    want: str,
    status: int | None,
) -> None:
    server.faults = [fault]
    caplog.set_level(logging.DEBUG)

    with pytest.raises(LLMError) as raised:
        generate(container, "Tag it.", text="a car", provider=provider, schema=SCHEMA)

    error = raised.value
    # No other row would fare better: it ends the run, and is not for the author's code to swallow.
    assert isinstance(error, errors.SetupError) == (status in (401, 404))
    assert str(error).startswith(f"{provider} ({llms.MODELS[provider]}) {want}")
    assert (error.provider, error.model, error.status) == (provider, llms.MODELS[provider], status)
    assert len(server.asked) == 1
    shown = "".join(traceback.format_exception(error)) + errors.describe(error) + caplog.text
    assert llms.KEY not in shown
    assert llms.KEY.encode() not in pickle.dumps(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("fault", "want"),
    [
        (Fault(content='{"tags": "red"}'), "the answer violates the schema at $.tags: 'red' is not of type"),
        (Fault(content="Sure! Here you go"), "the answer is no JSON ("),
        (
            Fault(content='{"tags": ["r', is_cut=True),
            "the answer was cut at the limit of tokens: raise max_tokens (is no JSON (",
        ),
    ],
    ids=["another form", "no JSON", "half of it"],
)
def test_an_answer_that_is_not_what_the_schema_wants_is_an_error_that_says_where(
    server: LLMServer, container: ServiceContainer, provider: str, fault: Fault, want: str
) -> None:
    server.faults = [fault]

    with pytest.raises(LLMError) as raised:
        generate(container, "Tag it.", text="a car", provider=provider, schema=SCHEMA)

    assert str(raised.value).startswith(f"{provider} ({llms.MODELS[provider]}): {want}")


def test_a_pydantic_class_says_what_violates_it(server: LLMServer, container: ServiceContainer) -> None:
    server.answer = {"tags": 1}

    with pytest.raises(LLMError, match=r"violates the schema at \$\.tags: Input should be a valid list"):
        generate(container, "Tag it.", schema=Tags)


@pytest.mark.parametrize(
    ("arguments", "want"),
    [
        ({"provider": "mistral"}, "no language model is configured as 'mistral' (there is: openai, "),
        ({"schema": "tags"}, "schema is a str: give a JSON schema as a dict, or a pydantic class"),
        ({"schema": {"type": "list"}}, "schema is no JSON schema: $.type: 'list' is not valid under any"),
        ({"images": [b"%PDF"]}, "an image given as bytes is no PNG, JPEG, GIF or WebP image: convert it"),
        ({"images": [1]}, "int is no image: give a URL, a path, bytes or a PIL image"),
        ({"images": ["/no/such.png"]}, "there is no file '/no/such.png'"),
        (
            {"images": [PNG + bytes(20 * 1024 * 1024)]},
            "an image given as bytes is larger than 20",
        ),
    ],
    ids=["provider", "schema", "JSON schema", "format", "type", "path", "size"],
)
def test_what_cannot_be_asked_is_an_error_before_anyone_is_asked(
    server: LLMServer, container: ServiceContainer, arguments: dict[str, Any], want: str
) -> None:
    with pytest.raises(Exception) as raised:
        generate(container, "Tag it.", **arguments)

    assert str(raised.value).startswith(want)
    assert server.asked == []
