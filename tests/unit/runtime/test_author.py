"""How the author's pipeline is called."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extractor_runtime import errors
from extractor_runtime.batch import author, plan
from extractor_runtime.sdk import request
from extractor_runtime.sdk.pipeline import ResourceType, RowCondition, StepDefinition
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


class OtherNameAndActor:
    def __init__(self, settings: Any, progress_actor: Any) -> None:
        self.got = (settings, progress_actor)


class AnyNames:
    def __init__(self, **kwargs: Any) -> None:
        self.got = kwargs


class OtherNameAndAny:
    def __init__(self, settings: Any, **kwargs: Any) -> None:
        self.got = (settings, kwargs)


class OwnDefault:
    def __init__(self, dimensions: Any = 128) -> None:
        self.got = dimensions


class Nothing:
    got = "nothing"


@pytest.mark.parametrize(
    ("service_class", "want"),
    [
        (WithConfig, ({"a": 1}, None, {})),
        (OnlyConfig, {"a": 1}),
        (OtherName, {"a": 1}),
        (OtherNameAndActor, ({"a": 1}, None)),
        (AnyNames, {"config": {"a": 1}, "progress_actor": None}),
        (OtherNameAndAny, ({"a": 1}, {})),
        (OwnDefault, {"a": 1}),
        (Nothing, "nothing"),
    ],
)
def test_a_processor_is_created_with_what_it_takes(service_class: Any, want: Any) -> None:
    assert author.call_with_config(service_class, {"a": 1}).got == want


def test_a_step_without_a_config_leaves_the_authors_default() -> None:
    assert author.call_with_config(OwnDefault, None).got == 128
    assert author.call_with_config(OtherName, None).got is None


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
        pytest.param("{'steps': [[sorted], (len, [abs])]}", [sorted, len, abs], False, id="lists of lists"),
        pytest.param("{'steps': PipelineDefinition('p', '1', [sorted])}", [sorted], False, id="a pipeline"),
        pytest.param("{'steps': [str]}", [StepDefinition(str)], False, id="a class"),
    ],
)
def test_steps_are_taken_from_what_build_steps_returns(
    tmp_path: Path, returned: str, want_steps: list[Any], want_prepare: bool
) -> None:
    head = "import types\nfrom engine.plugins.extractors.pipeline import PipelineDefinition, StepDefinition\n"
    tree = runs.make_tree(
        tmp_path / "tree", {"pipeline.py": f"{head}def build_steps(**kw):\n    return {returned}\n"}
    )

    pipeline = author.build_pipeline(tree, runs.make_config(tree, tmp_path))

    assert (list(pipeline.steps), pipeline.prepare is not None) == (want_steps, want_prepare)


@pytest.mark.parametrize(
    ("returned", "want"),
    [
        pytest.param(
            "{'steps': [7]}", "a step is neither a StepDefinition nor callable, but int 7", id="a number"
        ),
        pytest.param(
            "{'steps': [Broken()]}", "but Broken: give it a __call__", id="an object that shows nothing"
        ),
        pytest.param(
            "{'steps': [len], 'prepare': 'x'}", "prepare is not callable, but str 'x'", id="prepare"
        ),
        pytest.param("{'steps': []}", "build_steps returned no steps", id="none"),
        pytest.param(
            "{'steps': [StepDefinition(str, batch_size=0)]}",
            "pipeline.py:7: build_steps failed: ValueError: StepDefinition(batch_size=0): write a whole",
            id="no rows at once",
        ),
        pytest.param(
            "{'steps': [StepDefinition(str, condition='is_poem')]}",
            "StepDefinition(condition='is_poem'): write one of always, is_text",
            id="a condition that there is not",
        ),
    ],
)
def test_steps_that_are_none_are_refused_by_name(tmp_path: Path, returned: str, want: str) -> None:
    head = "from engine.plugins.extractors.pipeline import StepDefinition\n"
    broken = "class Broken:\n    def __repr__(self):\n        return 1 / 0\n\n"
    tree = runs.make_tree(
        tmp_path / "tree", {"pipeline.py": f"{head}{broken}def build_steps(**kw):\n    return {returned}\n"}
    )

    with pytest.raises(errors.AuthorError) as caught:
        author.build_pipeline(tree, runs.make_config(tree, tmp_path))

    assert want in str(caught.value)


@pytest.mark.parametrize(
    ("definition", "want"),
    [
        pytest.param(
            StepDefinition(str, resource_type="GPU", condition="IS_PDF"),  # type: ignore[arg-type]
            (ResourceType.GPU, RowCondition.IS_PDF),
            id="in capitals",
        ),
        pytest.param(
            StepDefinition(str, resource_type=None, condition="RowCondition.IS_TEXT"),  # type: ignore[arg-type]
            (ResourceType.CPU, RowCondition.IS_TEXT),
            id="not at all, or as Python spells it",
        ),
    ],
)
def test_resources_and_conditions_may_be_written_as_text(
    definition: StepDefinition, want: tuple[ResourceType, RowCondition]
) -> None:
    assert (definition.resource_type, definition.condition) == want


def test_an_object_in_place_of_a_class_is_the_processor(tmp_path: Path) -> None:
    files = {
        "pipeline.py": "from engine.plugins.extractors.pipeline import StepDefinition\n"
        "class Step:\n    def __call__(self, batch):\n        return 'called'\n"
        "def build_steps():\n    return {'steps': [StepDefinition(Step())]}\n"
    }
    tree = runs.make_tree(tmp_path / "tree", files)
    config = runs.make_config(tree, tmp_path)
    steps = plan.resolve_steps(author.build_pipeline(tree, config).steps, config.manifest.compute_profile)

    [processor] = author.make_processors(tree, config, steps)

    assert (processor.call(None), processor.location) == ("called", "pipeline.py:3")
