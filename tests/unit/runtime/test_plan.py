"""From steps to stages of actors."""

import pytest

from extractor_apis.manifest import ComputeProfile
from extractor_runtime import plan
from extractor_runtime.pipeline import ResourceType, StepDefinition


def step(
    resource: ResourceType = ResourceType.CPU, concurrency: int | None = None, batch_size: int = 64
) -> plan.Step:
    return plan.Step(0, "step", resource, batch_size, concurrency)


CPU, GPU, API = ResourceType.CPU, ResourceType.GPU, ResourceType.API


@pytest.mark.parametrize(
    ("steps", "rows", "cpus", "gpus", "want"),
    [
        pytest.param([step(), step()], 1000, 2, 0, [(2, 2, 1, 0)], id="neighbours share actors"),
        pytest.param(
            [step()], 64, 4, 0, [(1, 1, 4, 0)], id="one batch needs one actor, with every processor"
        ),
        pytest.param([step(concurrency=2)], 1000, 8, 0, [(1, 2, 4, 0)], id="the author's limit is kept"),
        pytest.param(
            [step(), step(GPU)], 1000, 2, 1, [(1, 2, 1, 0), (1, 1, 0, 1)], id="a GPU step has its own actors"
        ),
        pytest.param([step(), step(GPU)], 1000, 2, 0, [(2, 2, 1, 0)], id="without a GPU everything is CPU"),
        pytest.param(
            [step(), step(API), step()],
            1000,
            1,
            0,
            [(1, 1, 0.5, 0), (1, 1, 0, 0), (1, 1, 0.5, 0)],
            id="a single processor is shared",
        ),
        pytest.param([step()], 0, 2, 0, [(1, 1, 2, 0)], id="nothing to do still is a plan"),
    ],
)
def test_stages_share_the_machine(
    steps: list[plan.Step], rows: int, cpus: int, gpus: float, want: list[tuple[int, int, float, float]]
) -> None:
    stages = plan.plan_stages(steps, rows=rows, cpus=cpus, gpus=gpus)

    assert [(len(stage.steps), stage.actors, stage.cpus, stage.gpus) for stage in stages] == want


@pytest.mark.parametrize(
    ("rows", "want"),
    [
        pytest.param(100, 64, id="a small job travels batch by batch"),
        pytest.param(32_000, 1024, id="a large one in blocks of sixteen batches"),
        pytest.param(10_000, 320, id="sixteen blocks an actor in between"),
    ],
)
def test_blocks_are_whole_batches_and_many_enough_to_balance(rows: int, want: int) -> None:
    stages = plan.plan_stages([step()], rows=rows, cpus=2, gpus=0)

    assert plan.block_rows(stages, rows) == want


def processor(batch: object) -> object:
    return batch


@pytest.mark.parametrize(
    ("given", "profile", "want"),
    [
        pytest.param(processor, {}, plan.Step(0, "processor", CPU, 64, None), id="a function with defaults"),
        pytest.param(
            processor,
            {"resource_type": "gpu", "batch_size": 8, "max_concurrency": 3},
            plan.Step(0, "processor", GPU, 8, 3),
            id="the profile decides for a callable",
        ),
        pytest.param(
            StepDefinition(processor, API, concurrency=5, batch_size=2),
            {"batch_size": 8, "max_concurrency": 3},
            plan.Step(0, "processor", API, 2, 5),
            id="a definition decides for itself",
        ),
        pytest.param(
            StepDefinition(processor), {}, plan.Step(0, "processor", CPU, 64, None), id="or leaves it"
        ),
    ],
)
def test_a_step_is_completed_by_the_compute_profile(
    given: object, profile: dict[str, object], want: plan.Step
) -> None:
    assert plan.resolve_steps([given], ComputeProfile.model_validate(profile)) == [want]
