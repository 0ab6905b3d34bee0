"""The author's batch pipeline: found, built, and made into processors.

Runs where the author's code may run: in the driver, to learn the steps, and again in each actor, to make
them. So nothing of the author's is ever pickled, and a model loaded by a constructor is loaded where it is
used.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor_apis.run import RunConfig
from extractor_runtime import errors, loader
from extractor_runtime.loader import Tree
from extractor_runtime.pipeline import RowCondition, StepDefinition
from extractor_runtime.plan import Step
from extractor_runtime.request import ExtractorRequest, call_with


@dataclass(frozen=True)
class Pipeline:
    """What ``build_steps`` returned."""

    steps: Sequence[Any]
    prepare: Callable[[Any], Any] | None


def build_pipeline(tree: Tree, config: RunConfig, dataset_size: int | None = None) -> Pipeline:
    """Import pipeline.py and ask it for its steps, by ``build_steps`` or else ``extract``.

    Raises AuthorError, with the author's line, when it does not import, raises, or returns something else.
    """
    module = loader.load(tree, "pipeline")
    function = getattr(module, "build_steps", None) or getattr(module, "extract", None)
    if not callable(function):
        raise errors.AuthorError("define build_steps(extractor_request, **kwargs)", "pipeline.py:1")
    values = {
        "extractor_request": ExtractorRequest.of(config),
        "container": None,
        "base_steps": None,
        "dataset_size": dataset_size,
        "content_flags": None,
    }
    location = location_of(function, tree.root)
    try:
        built = call_with(function, values)
    except Exception as error:
        raise errors.AuthorError(
            f"{function.__name__} failed: {errors.describe(error)}",
            errors.locate(error, tree.root) or location,
        ) from error
    steps, prepare = (
        (built.get("steps"), built.get("prepare"))
        if isinstance(built, dict)
        else (
            getattr(built, "steps", None),
            getattr(built, "prepare", None),
        )
    )
    if not isinstance(steps, list | tuple) or not steps:
        raise errors.AuthorError(
            f'{function.__name__} returned no steps: return {{"steps": [...], "prepare": ...}}', location
        )
    for step in steps:
        if not isinstance(step, StepDefinition) and not callable(step):
            raise errors.AuthorError(
                f"a step is neither a StepDefinition nor callable: {step!r:.100}", location
            )
    return Pipeline([step for step in steps if not isinstance(step, StepDefinition) or step.enabled], prepare)


def make_processors(
    tree: Tree, config: RunConfig, steps: Sequence[Step]
) -> list[tuple[Step, RowCondition, Callable[[Any], Any]]]:
    """Build the pipeline here and make the processors of the given steps."""
    built = build_pipeline(tree, config).steps
    return [(step, *_processor(built[step.index], tree)) for step in steps]


def location_of(function: Any, root: Path) -> str | None:
    """Say where in the archive a callable, or the class of one, is written: ``processors/core.py:31``."""
    target = function if inspect.isfunction(function) else type(function).__call__
    code = getattr(target, "__code__", None)
    return errors.innermost([(code.co_filename, code.co_firstlineno)], root) if code else None


def _processor(step: Any, tree: Tree) -> tuple[RowCondition, Callable[[Any], Any]]:
    if not isinstance(step, StepDefinition):
        return RowCondition.ALWAYS, step
    condition = RowCondition(step.condition)
    name = getattr(step.service_class, "__name__", "step")
    try:
        processor = call_with_config(step.service_class, step.config)
    except Exception as error:
        raise errors.AuthorError(
            f"{name} could not be created: {errors.describe(error)}", errors.locate(error, tree.root)
        ) from error
    if not callable(processor):
        raise errors.AuthorError(
            f"{name} has no __call__(self, batch)", location_of(step.service_class, tree.root)
        )
    return condition, processor


def call_with_config(service_class: Callable[..., Any], config: Any) -> Any:
    """Create a processor as archives expect it: ``(config, progress_actor=None)``, or fewer arguments."""
    parameters = list(inspect.signature(service_class).parameters.values())
    names = {parameter.name for parameter in parameters}
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    if "config" in names or takes_any:
        return call_with(service_class, {"config": config, "progress_actor": None})
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return service_class(config) if positional else service_class()
