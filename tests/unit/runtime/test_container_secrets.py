"""`container.secrets`, and what of it can be seen."""

import asyncio
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from extractor_apis.services import SecretReference, Services
from extractor_runtime import redaction
from extractor_runtime.sdk.container import ServiceContainer
from extractor_runtime.sdk.container.errors import MissingSecretError

VALUE = "sk-0123456789abcdef"


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServiceContainer:
    monkeypatch.setenv("KEY_OF_OURS", VALUE)
    monkeypatch.delenv("NOT_SET", raising=False)
    files = {"filed": b"fd-0123456789\r\n", "empty": b"\n", "large": b"x" * 70_000, "binary": b"\xff\xfe"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    secrets = {name: SecretReference(file=str(tmp_path / name)) for name in (*files, "missing")}
    secrets |= {"KEY": SecretReference(env="KEY_OF_OURS"), "unset": SecretReference(env="NOT_SET")}
    return ServiceContainer.of(Services(secrets=secrets))


@pytest.mark.parametrize(("name", "want"), [("KEY", VALUE), ("filed", "fd-0123456789")])
def test_a_secret_is_read_where_its_reference_says(container: ServiceContainer, name: str, want: str) -> None:
    assert asyncio.run(container.secrets.get(name)) == want


def test_names_are_listed_and_values_are_not(container: ServiceContainer) -> None:
    assert asyncio.run(container.secrets.list()) == [
        "KEY",
        "binary",
        "empty",
        "filed",
        "large",
        "missing",
        "unset",
    ]


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("OTHER", "there is no secret 'OTHER' (given: KEY, binary, empty, filed, large, missing, unset): "),
        ("unset", "secret unset: the environment variable NOT_SET is not set"),
        ("missing", "secret missing: cannot read "),
        ("empty", "secret empty: "),
        ("large", "secret large: "),
        ("binary", "secret binary: cannot read "),
    ],
)
def test_a_secret_that_is_not_there_is_a_key_error_that_says_so(
    container: ServiceContainer, name: str, want: str
) -> None:
    with pytest.raises(KeyError) as raised:
        asyncio.run(container.secrets.get(name))

    assert isinstance(raised.value, MissingSecretError)
    assert str(raised.value).startswith(want)


@pytest.mark.parametrize(
    "show",
    [repr, str, pickle.dumps, lambda given: given.services.model_dump_json(), lambda given: vars(given)],
    ids=["repr", "str", "pickle", "JSON", "vars"],
)
def test_a_container_shows_no_value(
    container: ServiceContainer, show: Callable[[ServiceContainer], object]
) -> None:
    asyncio.run(container.secrets.get("KEY"))

    parts = (container, container.secrets, container.llm, container.inference, container.models)
    assert all(VALUE not in str(show(part)) for part in parts if part is container or show in (repr, str))
    assert VALUE.encode() not in pickle.dumps(parts)


def test_a_pickled_container_works_elsewhere(container: ServiceContainer) -> None:
    copy = pickle.loads(pickle.dumps(container))

    assert copy == container
    assert asyncio.run(copy.secrets.get("KEY")) == VALUE


def test_what_a_process_is_given_is_redacted_before_it_is_read(container: ServiceContainer) -> None:
    assert redaction.redact(f"{VALUE} and fd-0123456789") == "[secret KEY] and [secret filed]"


def test_the_process_has_one_container_also_for_who_creates_it(container: ServiceContainer) -> None:
    assert ServiceContainer.create(namespace_id="org_123") == container


def test_an_inference_service_that_nobody_serves_is_a_value_error(container: ServiceContainer) -> None:
    with pytest.raises(ValueError, match="unsupported service 'openai/whisper'; supported: none"):
        container.inference.get("openai/whisper")
