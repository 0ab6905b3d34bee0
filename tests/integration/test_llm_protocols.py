"""`container.llm` and `container.inference` against a server that speaks the providers' protocols."""

import asyncio
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from extractor_apis.run import Usage
from extractor_runtime.sdk.container import ServiceContainer
from extractor_runtime.sdk.container.llm import LLMRequest
from extractor_runtime.sdk.container.providers import anthropic_style
from support import llm_server, llms
from support.llm_server import INPUT_TOKENS, OUTPUT_TOKENS, Fault, LLMServer
from support.llms import PNG, PNG_BASE64, PROVIDERS, SCHEMA, Tags, generate

pytestmark = pytest.mark.integration

PNG_URL_SAFE = PNG_BASE64.replace("+", "-").replace("/", "_")
PNG_URL = f"data:image/png;base64,{PNG_BASE64}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LLMServer]:
    monkeypatch.setenv(llms.KEY_VARIABLE, llms.KEY)
    with llm_server.serve() as server:
        yield server


@pytest.fixture
def container(server: LLMServer) -> ServiceContainer:
    return ServiceContainer.of(llms.make_services(server))


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
