"""Secrets and language models, as the command line names them."""

from pathlib import Path

import pytest
import typer

from extractor_apis.services import LLMEndpoint, SecretReference, Services
from extractor_cli import services

LITERAL = "sk-live-1234567890"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "GEMINI_API_KEY", "FAST_API_KEY", "ELSEWHERE"):
        monkeypatch.setenv(name, LITERAL)
    for name in ("ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "MISSING"):
        monkeypatch.delenv(name, raising=False)


def test_a_secret_is_the_variable_of_its_name_or_another_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("value\n")

    given = services.parse(["OPENAI_API_KEY", "TOKEN=env:ELSEWHERE", f"FILED=file:{file}"], None)

    assert given == Services(
        secrets={
            "OPENAI_API_KEY": SecretReference(env="OPENAI_API_KEY"),
            "TOKEN": SecretReference(env="ELSEWHERE"),
            "FILED": SecretReference(file=str(file)),
        }
    )
    assert LITERAL not in given.model_dump_json()


@pytest.mark.parametrize(
    "text",
    [f"TOKEN={LITERAL}", f"TOKEN=value:{LITERAL}", f"TOKEN:{LITERAL}", f"{LITERAL} ", f"={LITERAL}"],
    ids=["a value", "a value after an unknown word", "a colon for =", "only a value", "no name"],
)
def test_a_value_on_the_command_line_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(typer.BadParameter) as raised:
        services.parse([text], None)

    assert "env:VARIABLE" in str(raised.value)
    assert LITERAL not in str(raised.value)


def test_a_value_in_place_of_a_name_is_not_repeated() -> None:
    with pytest.raises(typer.BadParameter, match="environment variable of that name is not set"):
        services.parse([LITERAL], None)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("MISSING", "--secret: the environment variable MISSING is not set"),
        ("TOKEN=env:MISSING", "--secret: the environment variable MISSING is not set"),
        ("TOKEN=file:/no/such", "--secret TOKEN: there is no file /no/such that can be read"),
        ("TOKEN=env:", "TOKEN=env:VARIABLE"),
    ],
    ids=["variable of its name", "another variable", "file", "nothing"],
)
def test_a_reference_to_nothing_is_a_usage_error(text: str, want: str) -> None:
    with pytest.raises(typer.BadParameter, match=want):
        services.parse([text], None)


@pytest.mark.parametrize(
    ("secret", "llm", "name", "want"),
    [
        ("OPENAI_API_KEY", "openai", "openai", LLMEndpoint(style="openai", api_key="OPENAI_API_KEY")),
        (
            "OPENAI_API_KEY",
            "openai#gpt-4o",
            "openai",
            LLMEndpoint(style="openai", api_key="OPENAI_API_KEY", model="gpt-4o"),
        ),
        ("GEMINI_API_KEY", "google", "google", LLMEndpoint(style="google", api_key="GEMINI_API_KEY")),
        (
            "OPENAI_API_KEY",
            "openai=http://vllm:8000/v1",
            "openai",
            LLMEndpoint(style="openai", base_url="http://vllm:8000/v1", api_key="OPENAI_API_KEY"),
        ),
        (
            "OPENAI_API_KEY",
            "fast=openai+http://vllm:8000/v1#org/model-7b",
            "fast",
            LLMEndpoint(style="openai", base_url="http://vllm:8000/v1", model="org/model-7b"),
        ),
        (
            "FAST_API_KEY",
            "fast=anthropic+https://proxy/claude",
            "fast",
            LLMEndpoint(style="anthropic", base_url="https://proxy/claude", api_key="FAST_API_KEY"),
        ),
        (
            "FAST_API_KEY",
            "fast=anthropic#claude",
            "fast",
            LLMEndpoint(style="anthropic", api_key="FAST_API_KEY", model="claude"),
        ),
    ],
    ids=[
        "a provider, with its key",
        "a provider's model",
        "Google's key by its other name",
        "one's own server under a provider's name is sent the provider's key",
        "one's own server under a name of its own is not sent another's key",
        "its own key is sent",
        "another key of a provider",
    ],
)
def test_a_language_model_is_a_provider_or_a_server(
    secret: str, llm: str, name: str, want: LLMEndpoint
) -> None:
    assert services.parse([secret], [llm]).llm == {name: want}


@pytest.mark.parametrize(
    ("llm", "want"),
    [
        ("openai", "--llm openai needs a key: add --secret OPENAI_API_KEY"),
        ("fast=google", "--llm fast needs a key: add --secret FAST_API_KEY"),
        ("mistral", "--llm mistral: write openai, anthropic, google, one of them =URL"),
        ("openai=ftp://host", "--llm openai=ftp://host: write openai"),
        ("fast=http://host/v1", "--llm fast=http://host/v1: write openai"),
        ("openai=http://me:pass@host/v1", "--llm openai: write the URL without credentials"),
        ("openai=oops://me:pass@host/v1", "--llm openai=oops://…@host/v1: write openai"),
    ],
    ids=[
        "a public endpoint without a key",
        "a named one without a key",
        "an unknown provider",
        "an unknown scheme",
        "a server without a protocol",
        "credentials in the URL",
        "credentials in what is no URL",
    ],
)
def test_what_cannot_work_is_a_usage_error_before_anything_starts(llm: str, want: str) -> None:
    with pytest.raises(typer.BadParameter) as raised:
        services.parse(None, [llm])

    assert str(raised.value).startswith(want)
    assert "pass" not in str(raised.value)
