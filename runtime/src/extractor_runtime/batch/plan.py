"""From the author's steps to stages of actors.

Neighbouring steps that need the same resources share a stage: one actor calls one after the other, and no row
crosses a process in between. Everything here is pure; `ray_data` turns a plan into a Ray Data pipeline.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from extractor_apis.manifest import ComputeProfile
from extractor_runtime.batch import batches
from extractor_runtime.batch.batches import BatchFormat
from extractor_runtime.sdk.pipeline import ResourceType, RowCondition, StepDefinition

_BLOCKS_PER_ACTOR = 48
_BATCHES_PER_BLOCK = 16
_BATCHES_PER_THREAD = 4
_CAREFUL_ROWS = 16
_START_SECONDS = 300.0


@dataclass(frozen=True)
class Step:
    """A step with everything that the compute profile decides filled in."""

    index: int
    name: str
    resource: ResourceType
    batch_size: int
    concurrency: int | None
    """Actors at most, where author or manifest say so; calls at a time for ``api``."""
    condition: RowCondition = RowCondition.ALWAYS
    batch_format: BatchFormat = "pandas"


@dataclass(frozen=True)
class Stage:
    """Steps that run in the same actors."""

    steps: tuple[Step, ...]
    actors: int
    cpus: float
    """Processors reserved for each actor."""
    gpus: float
    """GPUs reserved for each actor."""
    threads: int = 1
    """Batches that an actor hands to the author at a time, each to objects of their own."""


def resolve_steps(steps: Sequence[Any], profile: ComputeProfile) -> list[Step]:
    """Fill in what each step leaves to the compute profile; a callable is a step with the profile's needs.

    Raises AuthorError for a batch format that there is not.
    """
    declared = profile.max_concurrency if "max_concurrency" in profile.model_fields_set else None
    resolved = []
    for index, step in enumerate(steps):
        definition = step if isinstance(step, StepDefinition) else None
        target = definition.service_class if definition else step
        resource = definition.resource_type if definition else ResourceType(profile.resource_type)
        limit = profile.max_concurrency if resource is ResourceType.API else declared
        resolved.append(
            Step(
                index=index,
                name=getattr(target, "__name__", None) or type(target).__name__,
                resource=resource,
                batch_size=(definition and definition.batch_size) or profile.batch_size,
                concurrency=(definition and definition.concurrency) or limit,
                condition=definition.condition if definition else RowCondition.ALWAYS,
                batch_format=batches.format_of(target),
            )
        )
    return resolved


def plan_stages(steps: Sequence[Step], *, rows: int, cpus: int, gpus: float, nodes: int = 1) -> list[Stage]:
    """Group steps into stages and share the machine, or as many equal ``nodes``, among them.

    A machine without a GPU runs GPU steps on its processors: the author's code decides by ``torch.cuda``. No
    more actors are started than there are batches, since an actor costs seconds. Calls to remote APIs need
    none of the machine: they wait in the threads of a single actor.
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
        calls = math.ceil(rows / min(step.batch_size for step in group)) or 1
        limit = group[0].concurrency or math.inf
        if group[0].resource is ResourceType.GPU:
            actors = int(max(1, min(gpus, calls, limit)))
            stages.append(Stage(group, actors, cpus=0, gpus=1))
        elif group[0].resource is ResourceType.API:
            stages.append(Stage(group, 1, cpus=0, gpus=0, threads=group[0].concurrency or 1))
        else:
            share = cpus / sharing
            actors = int(max(1, min(share, calls, limit)))
            # An actor has its place on one node, beside as many as the others have.
            at_most = share / nodes / math.ceil(actors / nodes)
            stages.append(Stage(group, actors, cpus=_processors(at_most), gpus=0))
    return stages


def plan_carefully(stages: Sequence[Stage]) -> Stage:
    """Put every step into one stage, for the rows that are left when a worker has died.

    Its actors run the steps in processes of their own (`careful`), and only the objects and their documents
    cross between the two.
    """
    widest = max(stages, key=lambda stage: (stage.gpus, stage.cpus))
    return Stage(
        steps=tuple(itertools.chain.from_iterable(stage.steps for stage in stages)),
        actors=min((stage.actors for stage in stages if stage.threads == 1), default=1),
        cpus=widest.cpus,
        gpus=widest.gpus,
        threads=max(stage.threads for stage in stages),
    )


def block_rows(stages: Sequence[Stage], rows: int) -> int:
    """Choose how many rows travel to an actor at once.

    Enough batches to make the hand-over cheap and to keep its threads busy, few enough blocks that the last
    ones do not leave an actor idle.
    """
    first = stages[0]
    batch = first.steps[0].batch_size
    balanced = math.ceil(rows / (first.actors * _BLOCKS_PER_ACTOR))
    whole_batches = min(math.ceil(balanced / batch), _BATCHES_PER_BLOCK)
    busy = max((stage.threads * _BATCHES_PER_THREAD for stage in stages if stage.threads > 1), default=1)
    return batch * max(1, whole_batches, min(busy, math.ceil(rows / (first.actors * batch))))


def careful_rows(stage: Stage) -> int:
    """Choose how many rows travel at once when one of them may kill its process: few, since all of them are
    done again."""
    return min(stage.steps[0].batch_size, _CAREFUL_ROWS)


def silence_seconds(stages: Sequence[Stage], block: int, batch_timeout: float) -> float:
    """Say how long nothing may come back before Ray itself must have stopped.

    Every call of the author's has a deadline of its own, which speaks first: this is what they may take
    together in all of a block's steps, after actors that may take as long to be created.
    """
    calls = sum(math.ceil(block / min(step.batch_size, block)) for stage in stages for step in stage.steps)
    return _START_SECONDS + batch_timeout * (calls + len(stages))


def prepare_seconds(blocks: int, batch_timeout: float) -> float:
    """Say how long nothing may come of what `prepare` maps: a block is a batch, and a sort waits for all."""
    return _START_SECONDS + batch_timeout * blocks


def _on_cpu(step: Step) -> Step:
    return replace(step, resource=ResourceType.CPU) if step.resource is ResourceType.GPU else step


def _processors(share: float) -> float:
    # Ray takes whole processors, or a fraction below one.
    return math.floor(share) if share >= 1 else round(share, 3)
