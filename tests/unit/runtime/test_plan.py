"""From steps to stages of actors."""

import pytest

from extractor_apis.manifest import ComputeProfile
from extractor_runtime.batch import plan
from extractor_runtime.sdk.pipeline import ResourceType, RowCondition, StepDefinition


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
        pytest.param(
            [step(API, concurrency=50)], 1000, 2, 0, [(1, 1, 0, 0)], id="remote calls need one actor only"
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
    ("nodes", "cpus", "rows", "want"),
    [
        pytest.param(4, 8, 1000, (8, 1), id="an actor for each processor of all nodes"),
        pytest.param(4, 8, 192, (3, 2), id="few actors take a node each and no more"),
        pytest.param(2, 6, 256, (4, 1), id="actors that share a node share what it has"),
        pytest.param(1, 8, 192, (3, 2), id="a single node is shared as before"),
    ],
)
def test_an_actor_asks_for_no_more_than_a_node_has(
    nodes: int, cpus: int, rows: int, want: tuple[int, float]
) -> None:
    [stage] = plan.plan_stages([step()], rows=rows, cpus=cpus, gpus=0, nodes=nodes)

    assert (stage.actors, stage.cpus) == want


@pytest.mark.parametrize(
    ("rows", "want"),
    [
        pytest.param(100, 64, id="a small job travels batch by batch"),
        pytest.param(320_000, 1024, id="a large one in blocks of sixteen batches"),
        pytest.param(10_000, 128, id="forty-eight blocks an actor in between"),
    ],
)
def test_blocks_are_whole_batches_and_many_enough_to_balance(rows: int, want: int) -> None:
    stages = plan.plan_stages([step()], rows=rows, cpus=2, gpus=0)

    assert plan.block_rows(stages, rows) == want


@pytest.mark.parametrize(
    ("rows", "want"),
    [
        pytest.param(10_000, 256 * 4, id="four batches for each of its threads"),
        pytest.param(100, 104, id="no more than there are"),
    ],
)
def test_a_block_keeps_the_threads_of_a_remote_step_busy(rows: int, want: int) -> None:
    stages = plan.plan_stages([step(API, concurrency=32, batch_size=8)], rows=rows, cpus=2, gpus=0)

    assert (stages[0].threads, plan.block_rows(stages, rows)) == (32, want)


def test_a_careful_plan_has_every_step_in_one_stage_with_the_most_that_one_needs() -> None:
    stages = plan.plan_stages([step(), step(GPU), step(API, concurrency=5)], rows=1000, cpus=4, gpus=2)

    careful = plan.plan_carefully(stages)

    assert careful == plan.Stage(
        tuple(one for stage in stages for one in stage.steps), actors=2, cpus=0, gpus=1, threads=5
    )
    assert plan.careful_rows(careful) == 16


def test_silence_is_longer_than_all_that_the_author_may_take_for_a_block() -> None:
    stages = plan.plan_stages([step(), step(batch_size=10)], rows=1000, cpus=2, gpus=0)

    seconds = plan.silence_seconds(stages, 64, batch_timeout=600.0)

    assert seconds > 600 * (1 + 1 + 7)


def processor(batch: object) -> object:
    return batch


class Arrow:
    batch_format = "pyarrow"


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
            StepDefinition(processor, API),
            {},
            plan.Step(0, "processor", API, 64, 2),
            id="two calls at a time",
        ),
        pytest.param(
            StepDefinition(Arrow, condition=RowCondition.IS_PDF),
            {},
            plan.Step(0, "Arrow", CPU, 64, None, RowCondition.IS_PDF, "pyarrow"),
            id="its rows and their form",
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
