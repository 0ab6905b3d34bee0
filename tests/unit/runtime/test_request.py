"""What the author's functions are given: the request, and the arguments that they take."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extractor_runtime.loader import Tree
from extractor_runtime.sdk.request import ExtractorRequest, call_with
from support import runs

VALUES = {"request": "r", "container": "c", "base_steps": None}


@pytest.mark.parametrize(
    ("function", "want"),
    [
        (lambda request, container=None, base_steps=None: (request, container), ("r", "c")),
        (lambda request, **kwargs: (request, sorted(kwargs)), ("r", ["base_steps", "container"])),
        (lambda request=None: request, "r"),
        (lambda **kwargs: sorted(kwargs), ["base_steps", "container", "request"]),
        (lambda *, container: container, "c"),
        (lambda: "none", "none"),
        (lambda req: req, "r"),
        (lambda req, container: (req, container), ("r", "c")),
        (lambda req, **kwargs: (req, sorted(kwargs)), ("r", ["base_steps", "container"])),
        (lambda req, /, container=None: (req, container), ("r", "c")),
        (lambda other=1, container=None: (other, container), (1, "c")),
    ],
    ids=[
        "all by name",
        "one and the rest",
        "optional",
        "the rest only",
        "keyword only",
        "nothing",
        "another name",
        "another name, and more",
        "another name, and the rest",
        "positional only",
        "an optional first one of its own",
    ],
)
def test_a_function_is_called_with_what_it_takes(function: Callable[..., Any], want: Any) -> None:
    assert call_with(function, VALUES, first="request") == want


def test_a_value_is_not_forced_on_a_parameter_of_another_name_unless_it_may_be() -> None:
    with pytest.raises(TypeError, match="model_path"):
        call_with(lambda model_path, container=None: None, VALUES)


SCHEMA = {
    "type": "object",
    "properties": {"threshold": {"type": "number", "default": 0.5}, "labels": {"default": []}, "name": {}},
}


def request(tmp_path: Path, **changes: Any) -> ExtractorRequest:
    return ExtractorRequest.of(runs.make_config(Tree(tmp_path, "sha256:00"), tmp_path, **changes))


def test_a_request_has_the_parameters_wherever_archives_read_them(tmp_path: Path) -> None:
    made = request(tmp_path, parameters={"threshold": 0.8})

    want = {"threshold": 0.8}
    assert (made.extractor_config.parameters, made.parameters, made.params) == (want, want, want)


def test_a_request_says_of_which_extractor_it_is(tmp_path: Path) -> None:
    made = request(tmp_path, manifest=runs.make_manifest(input_mappings={"text": "body"}))

    config = made.extractor_config
    assert (made.feature_extractor_name, made.version, made.collection_id) == ("probe", "1.0.0", "default")
    assert (config.feature_extractor_name, config.version) == ("probe", "1.0.0")
    assert config.input_mappings == {"text": "body"}


@pytest.mark.parametrize("schema", [SCHEMA, SCHEMA["properties"]], ids=["JSON schema", "plain dict"])
def test_parameters_that_are_not_given_have_the_defaults_of_their_schema(
    schema: dict[str, Any], tmp_path: Path
) -> None:
    manifest = runs.make_manifest(parameter_schema=schema)

    made = request(tmp_path, manifest=manifest, parameters={"threshold": "0.8"})

    assert made.parameters == {"threshold": "0.8", "labels": []}


def test_what_the_author_writes_into_a_default_is_not_kept(tmp_path: Path) -> None:
    manifest = runs.make_manifest(parameter_schema=SCHEMA)

    request(tmp_path, manifest=manifest).parameters["labels"].append("x")

    assert request(tmp_path, manifest=manifest).parameters["labels"] == []
