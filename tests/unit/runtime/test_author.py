"""How the author's pipeline is called."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extractor_runtime import author, request
from support import runs


def takes_request(extractor_request: Any) -> Any:
    return extractor_request


def takes_all(**kwargs: Any) -> Any:
    return sorted(kwargs)


def takes_some(extractor_request: Any, container: Any = 1, other: Any = 2) -> Any:
    return (extractor_request, container, other)


@pytest.mark.parametrize(
    ("function", "want"),
    [
        pytest.param(takes_request, "r", id="one argument"),
        pytest.param(takes_all, ["container", "extractor_request"], id="any"),
        pytest.param(takes_some, ("r", None, 2), id="some, with an unknown default"),
        pytest.param(lambda: "nothing", "nothing", id="none"),
    ],
)
def test_a_function_gets_the_arguments_it_takes(function: Callable[..., Any], want: Any) -> None:
    assert request.call_with(function, {"extractor_request": "r", "container": None}) == want


class WithConfig:
    def __init__(self, config: Any, progress_actor: Any = "none", **kwargs: Any) -> None:
        self.got = (config, progress_actor, kwargs)


class OnlyConfig:
    def __init__(self, config: Any) -> None:
        self.got = config


class OtherName:
    def __init__(self, settings: Any) -> None:
        self.got = settings


class Nothing:
    got = "nothing"


@pytest.mark.parametrize(
    ("service_class", "want"),
    [(WithConfig, ({"a": 1}, None, {})), (OnlyConfig, {"a": 1}), (OtherName, {"a": 1}), (Nothing, "nothing")],
)
def test_a_processor_is_created_with_what_it_takes(service_class: Any, want: Any) -> None:
    assert author.call_with_config(service_class, {"a": 1}).got == want


def test_parameters_are_found_wherever_archives_look_for_them(tmp_path: Path) -> None:
    config = runs.make_config(runs.make_tree(tmp_path / "tree", {}), tmp_path, parameters={"words": 3})

    made = request.ExtractorRequest.of(config)

    assert made.parameters == made.params == made.extractor_config.parameters == {"words": 3}
    assert (made.feature_extractor_name, made.version, made.collection_id) == ("probe", "1.0.0", "default")


@pytest.mark.parametrize(
    ("returned", "want_steps", "want_prepare"),
    [
        pytest.param("{'steps': [sorted]}", [sorted], False, id="a dict without prepare"),
        pytest.param("{'steps': (sorted,), 'prepare': len}", [sorted], True, id="a dict with it"),
        pytest.param("types.SimpleNamespace(steps=[sorted], prepare=len)", [sorted], True, id="an object"),
        pytest.param(
            "{'steps': [StepDefinition(str, enabled=False), sorted]}", [sorted], False, id="a disabled step"
        ),
    ],
)
def test_steps_are_taken_from_what_build_steps_returns(
    tmp_path: Path, returned: str, want_steps: list[Any], want_prepare: bool
) -> None:
    head = "import types\nfrom engine.plugins.extractors.pipeline import StepDefinition\n"
    tree = runs.make_tree(
        tmp_path / "tree", {"pipeline.py": f"{head}def build_steps(**kw):\n    return {returned}\n"}
    )

    pipeline = author.build_pipeline(tree, runs.make_config(tree, tmp_path))

    assert (list(pipeline.steps), pipeline.prepare is not None) == (want_steps, want_prepare)
