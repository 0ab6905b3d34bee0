"""The author's batch pipeline: found, built, and made into processors.

Runs where the author's code may run: in the driver, to learn the steps, and again in each actor, to make
them. So nothing of the author's is ever pickled, and a model loaded by a constructor is loaded where it is
used.
"""

import functools
import inspect
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from extractor_apis.run import RunConfig
from extractor_runtime import deadline, errors, loader, places
from extractor_runtime.batch.plan import Step
from extractor_runtime.loader import Tree
from extractor_runtime.sdk.pipeline import PipelineDefinition, ResourceType, StepDefinition
from extractor_runtime.sdk.request import ExtractorRequest, call_with


@dataclass(frozen=True)
class Pipeline:
    """What ``build_steps`` returned."""

    steps: Sequence[Any]
    prepare: Callable[[Any], Any] | None


@dataclass(frozen=True)
class Processor:
    """A step that is ready to be called."""

    step: Step
    call: Callable[[Any], Any]
    location: str | None
    """Where the author wrote it."""
    create_seconds: float


def build_pipeline(tree: Tree, config: RunConfig) -> Pipeline:
    """Import pipeline.py and ask it for its steps, by ``build_steps`` or else ``extract``.

    Raises AuthorError, with the author's line, when it does not import, raises, or returns something else.
    """
    # Importing clients takes time, and every import counts twice while Ray starts.
    from extractor_runtime.sdk.container import ServiceContainer

    module = loader.load(tree, "pipeline")
    function = getattr(module, "build_steps", None) or getattr(module, "extract", None)
    if not callable(function):
        raise errors.AuthorError("define build_steps(extractor_request, **kwargs)", "pipeline.py:1")
    values = {
        "extractor_request": ExtractorRequest.of(config),
        "container": ServiceContainer.of(config.services),
        "base_steps": [],
        # Not known: the source is read afterwards.
        "dataset_size": None,
        "content_flags": None,
    }
    location = places.of_definition(function, tree.root)
    try:
        built = deadline.awaited(call_with(function, values, first="extractor_request"))
    except _RAISED as error:
        raise errors.AuthorError(
            f"{function.__name__} failed: {errors.describe(error)}",
            places.of_error(error, tree.root) or location,
        ) from error
    steps, prepare = (
        built.get(name) if isinstance(built, Mapping) else getattr(built, name, None)
        for name in ("steps", "prepare")
    )
    if not isinstance(steps, list | tuple | PipelineDefinition) or not (flat := list(_flat(steps, config))):
        raise errors.AuthorError(
            f'{function.__name__} returned no steps: return {{"steps": [...], "prepare": ...}}', location
        )
    for step in flat:
        if not isinstance(step, StepDefinition) and not callable(step):
            raise errors.AuthorError(
                f"a step is neither a StepDefinition nor callable, but {_spell(step)}: "
                "give it a __call__(self, batch)",
                location,
            )
    if prepare is not None and not callable(prepare):
        raise errors.AuthorError(f"prepare is not callable, but {_spell(prepare)}", location)
    return Pipeline([step for step in flat if not isinstance(step, StepDefinition) or step.enabled], prepare)


def make_processors(tree: Tree, config: RunConfig, steps: Sequence[Step]) -> list[Processor]:
    """Build the pipeline here and make the processors of the given steps."""
    built = build_pipeline(tree, config).steps
    if len(built) <= max(step.index for step in steps):
        raise errors.AuthorError(
            f"the pipeline has {len(built)} steps in a worker, and had more where the run was planned: "
            "build the same steps every time",
            "pipeline.py:1",
        )
    return [_processor(built[step.index], step, tree) for step in steps]


def call_with_config(service_class: Callable[..., Any], config: Any) -> Any:
    """Create a processor as archives expect it: ``(config, progress_actor=None)``, or fewer arguments."""
    parameters = inspect.signature(service_class).parameters
    values = {"config": config, "progress_actor": None}
    first = next(iter(parameters.values()), None)
    if first is None or first.name in values or "config" in parameters or not _is_for(config, first):
        return call_with(service_class, values)
    # The config by a name of the author's own.
    others = {name: None for name in ("progress_actor",) if name in parameters}
    return service_class(config, **others)


def _is_for(config: Any, parameter: inspect.Parameter) -> bool:
    """Tell whether a parameter of another name is the config's: no config leaves the author's default."""
    positional = parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    return positional and (config is not None or parameter.default is parameter.empty)


# What an author's code may raise, past which a thread would end the process.
_RAISED = (Exception, SystemExit)


def _flat(steps: Any, config: RunConfig) -> Iterator[Any]:
    """Take steps out of lists of lists (``build_pipeline_steps`` among single ones) and whole pipelines."""
    for step in steps.steps if isinstance(steps, PipelineDefinition) else steps:
        if isinstance(step, list | tuple | PipelineDefinition):
            yield from _flat(step, config)
        elif isinstance(step, type):
            # A class and not an object of it: to be created once in each actor is what was meant.
            yield StepDefinition(step, ResourceType(config.manifest.compute_profile.resource_type))
        else:
            yield step


def _processor(built: Any, step: Step, tree: Tree) -> Processor:
    if not isinstance(built, StepDefinition):
        return Processor(step, built, places.of_definition(built, tree.root), 0.0)
    target = built.service_class
    if not _creates(target):
        return Processor(step, target, places.of_definition(target, tree.root), 0.0)
    started = time.perf_counter()
    try:
        processor = call_with_config(target, built.config)
    except _RAISED as error:
        raise errors.AuthorError(
            f"{step.name} could not be created: {errors.describe(error)}",
            places.of_error(error, tree.root) or places.of_definition(target, tree.root),
        ) from error
    seconds = time.perf_counter() - started
    if not callable(processor):
        raise errors.AuthorError(
            f"{step.name} has no __call__(self, batch)", places.of_definition(target, tree.root)
        )
    return Processor(step, processor, places.of_definition(processor, tree.root), seconds)


def _creates(target: Any) -> bool:
    """Tell a class or factory from an object that was created already."""
    return isinstance(target, type | functools.partial) or inspect.isroutine(target)


def _spell(thing: Any) -> str:
    """Say what something of the author's is, without asking it."""
    kind = type(thing).__name__
    return f"{kind} {thing!r:.80}" if isinstance(thing, str | int | float) else kind
