"""From the author's steps to stages of actors.

Neighbouring steps that need the same resources share a stage: one actor calls one after the other, and no row
crosses a process in between. Everything here is pure; `batch` turns a plan into a Ray Data pipeline.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from extractor_apis.manifest import ComputeProfile
from extractor_runtime.pipeline import ResourceType, StepDefinition

_BLOCKS_PER_ACTOR = 16
_BATCHES_PER_BLOCK = 16


@dataclass(frozen=True)
class Step:
    """A step with everything that the compute profile decides filled in."""

    index: int
    name: str
    resource: ResourceType
    batch_size: int
    concurrency: int | None
    """Actors at most, where author or manifest say so."""


@dataclass(frozen=True)
class Stage:
    """Steps that run in the same actors."""

    steps: tuple[Step, ...]
    actors: int
    cpus: float
    """Processors reserved for each actor."""
    gpus: float
    """GPUs reserved for each actor."""


def resolve_steps(steps: Sequence[Any], profile: ComputeProfile) -> list[Step]:
    """Fill in what each step leaves to the compute profile; a callable is a step with the profile's needs."""
    declared = profile.max_concurrency if "max_concurrency" in profile.model_fields_set else None
    resolved = []
    for index, step in enumerate(steps):
        definition = step if isinstance(step, StepDefinition) else None
        target = definition.service_class if definition else step
        resolved.append(
            Step(
                index=index,
                name=getattr(target, "__name__", None) or type(target).__name__,
                resource=ResourceType(definition.resource_type if definition else profile.resource_type),
                batch_size=(definition and definition.batch_size) or profile.batch_size,
                concurrency=(definition and definition.concurrency) or declared,
            )
        )
    return resolved


def plan_stages(steps: Sequence[Step], *, rows: int, cpus: int, gpus: float) -> list[Stage]:
    """Group steps into stages and share the machine among them.

    A machine without a GPU runs GPU steps on its processors: the author's code decides by ``torch.cuda``. No
    more actors are started than there are batches, since an actor costs seconds.
    """
    if gpus <= 0:
        steps = [_on_cpu(step) for step in steps]
    groups = [
        tuple(group)
        for _, group in itertools.groupby(steps, key=lambda step: (step.resource, step.concurrency))
    ]
    sharing = sum(1 for group in groups if group[0].resource is ResourceType.CPU) or 1
    stages = []
    for group in groups:
        batches = math.ceil(rows / min(step.batch_size for step in group)) or 1
        limit = group[0].concurrency or math.inf
        if group[0].resource is ResourceType.GPU:
            actors = int(max(1, min(gpus, batches, limit)))
            stages.append(Stage(group, actors, cpus=0, gpus=1))
        elif group[0].resource is ResourceType.API:
            actors = int(max(1, min(cpus, batches, limit)))
            stages.append(Stage(group, actors, cpus=0, gpus=0))
        else:
            share = cpus / sharing
            actors = int(max(1, min(share, batches, limit)))
            stages.append(Stage(group, actors, cpus=_processors(share / actors), gpus=0))
    return stages


def block_rows(stages: Sequence[Stage], rows: int) -> int:
    """Choose how many rows travel to an actor at once.

    Enough batches to make the hand-over cheap, few enough blocks that the last ones do not leave an actor
    idle.
    """
    first = stages[0]
    batch = first.steps[0].batch_size
    balanced = math.ceil(rows / (first.actors * _BLOCKS_PER_ACTOR))
    whole_batches = math.ceil(balanced / batch)
    return batch * max(1, min(whole_batches, _BATCHES_PER_BLOCK))


def _on_cpu(step: Step) -> Step:
    if step.resource is not ResourceType.GPU:
        return step
    return Step(step.index, step.name, ResourceType.CPU, step.batch_size, step.concurrency)


def _processors(share: float) -> float:
    # Ray takes whole processors, or a fraction below one.
    return math.floor(share) if share >= 1 else round(share, 3)
