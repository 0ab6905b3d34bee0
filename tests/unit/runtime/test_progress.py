"""How far a run is, and what its steps took."""

from pathlib import Path

from extractor_apis.run import ErrorBudget, RunState, StepReport, Usage
from extractor_runtime.batch.notes import Failure, Measure
from extractor_runtime.batch.plan import Step
from extractor_runtime.batch.progress import Progress
from extractor_runtime.sdk.pipeline import ResourceType
from support import runs

STEPS = [
    Step(0, "Read", ResourceType.CPU, 64, None),
    Step(1, "Ask", ResourceType.API, 8, 4),
]


def start(folder: Path, **changes: object) -> Progress:
    config = runs.make_config(runs.make_tree(folder / "tree", {}), folder, **changes)
    progress = Progress(config, folder / "run", lambda state: None)
    progress.plan(STEPS)
    return progress


def test_what_steps_took_is_summed_over_blocks_and_the_largest_worker_counts(tmp_path: Path) -> None:
    progress = start(tmp_path)
    tokens = Usage(requests=1, input_tokens=500, output_tokens=500, units={"1k_tokens": 1.0})

    progress.record(
        [
            Measure(1, rows=8, seconds=2.0, create_seconds=0.5, peak_memory_bytes=100, usage=tokens),
            Measure(1, rows=4, seconds=1.0, create_seconds=0.7, peak_memory_bytes=90, usage=tokens),
        ]
    )

    assert progress.state.steps == (
        StepReport(name="Read", resource="cpu"),
        StepReport(
            name="Ask", resource="api", rows=12, seconds=3.0, create_seconds=0.7, peak_memory_bytes=100
        ),
    )
    assert progress.state.usage == Usage(
        requests=2, input_tokens=1000, output_tokens=1000, units={"1k_tokens": 2.0}
    )


def test_documents_and_images_are_paid_for_where_the_manifest_says_so(tmp_path: Path) -> None:
    rates = [
        {"unit": "extraction", "credits_per_unit": 2},
        {"unit": "image", "credits_per_unit": 10},
        {"unit": "page", "credits_per_unit": 1},
    ]
    progress = start(tmp_path, manifest=runs.make_manifest(cost_rates=rates))

    progress.advance(["a", "a", "b"], images=1)

    assert progress.state.usage == Usage(units={"extraction": 3.0, "image": 1.0}, credits=16.0)


def test_what_the_author_charges_is_not_counted_again(tmp_path: Path) -> None:
    progress = start(
        tmp_path, manifest=runs.make_manifest(cost_rates=[{"unit": "image", "credits_per_unit": 2}])
    )
    frames = Usage(units={"image": 25.0})

    progress.record([Measure(1, rows=1, seconds=1, create_seconds=0, peak_memory_bytes=1, usage=frames)])
    progress.advance(["a"], images=1)

    assert progress.state.usage == Usage(units={"image": 25.0}, credits=50.0)


def test_without_rates_nothing_is_counted(tmp_path: Path) -> None:
    progress = start(tmp_path)

    progress.advance(["a"], images=1)

    assert progress.state.usage == Usage()


def test_an_object_has_come_back_as_documents_or_as_a_failure(tmp_path: Path) -> None:
    progress = start(tmp_path, error_budget=ErrorBudget(count=0, share=0))

    progress.advance(["a"])
    progress.record([Failure("b", "Read", "broken", "x.py:1"), Failure("", "Read", "fatal", fatal=True)])

    assert [progress.is_done(object_id) for object_id in ("a", "b", "c")] == [True, True, False]
    assert (progress.state.objects_done, progress.state.dead_letters) == (2, 1)
    assert progress.first_failure == "object b: x.py:1: broken"


def test_what_is_told_is_in_the_file_at_once(tmp_path: Path) -> None:
    progress = start(tmp_path)

    progress.tell("a worker process died")

    state = RunState.model_validate_json((tmp_path / "run" / "state.json").read_bytes())
    assert (state.message, len(state.steps)) == ("a worker process died", 2)
