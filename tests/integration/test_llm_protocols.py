"""`container.llm` and `container.inference` against a server that speaks the providers' protocols."""

import asyncio
import base64
import io
import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydantic
import pytest

from extractor_apis.run import Usage
from extractor_runtime import errors
from extractor_runtime.sdk.container import ServiceContainer
from extractor_runtime.sdk.container.errors import LLMError
from extractor_runtime.sdk.container.llm import LLMRequest
from extractor_runtime.sdk.container.providers import anthropic_style
from support import llm_server, llms
from support.llm_server import INPUT_TOKENS, OUTPUT_TOKENS, Fault, LLMServer

pytestmark = pytest.mark.integration

SCHEMA = {
    "type": "object",
    "properties": {"tags": {"type": "array", "items": {"type": "string"}}},
    "required": ["tags"],
}
PNG_BASE64 = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PNG = base64.b64decode(PNG_BASE64)
PNG_URL_SAFE = PNG_BASE64.replace("+", "-").replace("/", "_")
PNG_URL = f"data:image/png;base64,{PNG_BASE64}"
PROVIDERS = list(llms.MODELS)


class Tags(pydantic.BaseModel):
    tags: list[str]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LLMServer]:
    monkeypatch.setenv(llms.KEY_VARIABLE, llms.KEY)
    with llm_server.serve() as server:
        yield server


@pytest.fixture
def container(server: LLMServer) -> ServiceContainer:
    return ServiceContainer.of(llms.make_services(server))


def generate(container: ServiceContainer, *args: Any, **kwargs: Any) -> Any:
    return asyncio.run(container.llm.generate(*args, **kwargs))


@pytest.mark.parametrize(
    ("provider", "path", "header", "want"),
    [
        (
            "openai",
            "/v1/chat/completions",
            ("authorization", f"Bearer {llms.KEY}"),
            {
                "model": "gpt-4o",
                "messages": [
                    {"role": "system", "content": "Tag it."},
                    {
                        "role": "user",
                        "content": [
                            {"type": "image_url", "image_url": {"url": PNG_URL}},
                            {"type": "text", "text": "a car"},
                        ],
                    },
                ],
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "answer", "schema": SCHEMA},
                },
                "temperature": 0.5,
                "max_completion_tokens": 100,
            },
        ),
        (
            "anthropic",
            "/v1/messages",
            ("authorization", f"Bearer {llms.KEY}"),
            {
                "model": "claude-next",
                "system": "Tag it.",
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "image",
                                "source": {
                                    "type": "base64",
                                    "media_type": "image/png",
                                    "data": PNG_BASE64,
                                },
                            },
                            {"type": "text", "text": "a car"},
                        ],
                    }
                ],
                "output_config": {
                    "format": {"type": "json_schema", "schema": {**SCHEMA, "additionalProperties": False}}
                },
                "max_tokens": 100,
            },
        ),
        (
            "google",
            "/v1/models/gemini-2.5-flash:generateContent",
            ("x-goog-api-key", llms.KEY),
            {
                "systemInstruction": {"parts": [{"text": "Tag it."}], "role": "user"},
                "contents": [
                    {
                        "role": "user",
                        "parts": [
                            {"inlineData": {"data": PNG_URL_SAFE, "mime_type": "image/png"}},
                            {"text": "a car"},
                        ],
                    }
                ],
                "generationConfig": {
                    "responseMimeType": "application/json",
                    "responseJsonSchema": SCHEMA,
                    "temperature": 0.5,
                    "maxOutputTokens": 100,
                },
            },
        ),
    ],
)
def test_each_provider_is_asked_in_its_own_protocol(
    server: LLMServer,
    container: ServiceContainer,
    provider: str,
    path: str,
    header: tuple[str, str],
    want: dict[str, Any],
) -> None:
    answer = generate(
        container,
        "Tag it.",
        text="a car",
        images=[PNG],
        provider=provider,
        schema=SCHEMA,
        temperature=0.5,
        max_tokens=100,
    )

    asked = server.asked[0]
    assert (asked.path, asked.body) == (path, want)
    assert [pair for pair in asked.headers.items() if llms.KEY in pair[1]] == [header]
    assert answer.data == {"tags": ["red"]}
    assert answer.usage == Usage(
        requests=1,
        input_tokens=INPUT_TOKENS,
        output_tokens=OUTPUT_TOKENS,
        units={"1k_tokens": (INPUT_TOKENS + OUTPUT_TOKENS) / 1000},
    )


def test_anthropic_is_told_in_words_what_its_protocol_cannot_say(
    server: LLMServer, container: ServiceContainer
) -> None:
    schema = {"type": "object", "properties": {"free": {"type": "object"}}}
    server.faults = [Fault(content='```json\n{"free": {"any": 1}}\n```')]

    answer = generate(container, "Tag it.", text="a car", provider="anthropic", schema=schema)

    body = server.asked[0].body
    assert answer.data == {"free": {"any": 1}}
    assert "output_config" not in body
    assert json.dumps(schema) in body["messages"][0]["content"][-1]["text"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_a_schema_the_data_is_the_text(container: ServiceContainer, provider: str) -> None:
    request = LLMRequest("Repeat it.", text="a car", provider=provider)

    answer = asyncio.run(container.llm.service.process(request))

    assert (answer.data, answer.text, answer.model) == ("a car", "a car", llms.MODELS[provider])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_instruction_alone_is_what_the_user_says(container: ServiceContainer, provider: str) -> None:
    assert generate(container, "Say hello.", provider=provider).data == "Say hello."


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_empty_text_is_none(container: ServiceContainer, provider: str) -> None:
    assert generate(container, "Say hello.", text="", provider=provider).data == "Say hello."


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_pydantic_class_is_a_schema(container: ServiceContainer, provider: str) -> None:
    assert generate(container, "Tag it.", text="a car", provider=provider, schema=Tags).data == {
        "tags": ["red"]
    }


def test_the_first_endpoint_and_its_model_are_the_default(
    server: LLMServer, container: ServiceContainer
) -> None:
    answer = generate(container, "Say hello.")

    assert (answer.provider, server.asked[0].body["model"]) == ("openai", "gpt-4o")


def as_pil(folder: Path) -> Any:
    pil = pytest.importorskip("PIL.Image")
    return pil.open(io.BytesIO(PNG))


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: PNG,
        lambda folder: [bytearray(PNG)],
        lambda folder: PNG_URL,
        lambda folder: folder / "a.png",
        lambda folder: [str(folder / "a.png")],
        lambda folder: (folder / "a.png").as_uri(),
        as_pil,
    ],
    ids=["bytes", "bytearray", "data URL", "Path", "path", "file URL", "PIL"],
)
def test_an_image_is_sent_however_it_is_named(
    server: LLMServer, container: ServiceContainer, tmp_path: Path, make: Callable[[Path], Any]
) -> None:
    (tmp_path / "a.png").write_bytes(PNG)

    generate(container, "Tag it.", images=make(tmp_path))

    content = server.asked[0].body["messages"][1]["content"]
    assert content[0]["image_url"]["url"].startswith("data:image/png;base64,iVBOR")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_key_is_sent_where_none_is_given_whatever_the_environment_holds(
    server: LLMServer, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "GOOGLE_API_KEY"):
        monkeypatch.setenv(name, "sk-of-the-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/")

    generate(ServiceContainer.of(llms.make_services(server, has_key=False)), "Say hello.", provider=provider)

    headers = server.asked[0].headers
    assert not headers.keys() & {"authorization", "x-api-key", "x-goog-api-key"}
    assert "sk-of-the-environment" not in str(headers)


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


def test_an_embedding_endpoint_embeds_by_the_models_name(
    server: LLMServer, container: ServiceContainer
) -> None:
    service = container.inference.get("gpt-4o")

    assert service.embed_batch(["a", "bcd"]) == [[1.0, 1.0], [3.0, 1.0]]
    assert service.text_to_embedding("ab") == [2.0, 1.0]
    assert server.asked[0].body["input"] == ["a", "bcd"]


CLOSED = {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}}}}


@pytest.mark.parametrize(
    ("schema", "can_be_said"),
    [
        (CLOSED, True),
        ({"type": "object"}, False),
        ({"type": "object", "properties": {"deep": {"type": "array", "items": {"type": "object"}}}}, False),
        ({**CLOSED, "additionalProperties": True}, False),
        ({"type": "object", "properties": {"any": {}}}, False),
        ({"type": "object", "properties": {"name": {"type": ["string", "null"]}}}, False),
    ],
    ids=["named fields", "no fields", "none deep inside", "more fields", "an untyped one", "two types"],
)
def test_anthropics_protocol_says_only_schemas_whose_fields_are_named(
    schema: dict[str, Any], can_be_said: bool
) -> None:
    assert (anthropic_style.strict(schema) is not None) == can_be_said
