"""Whole batch runs on real Ray and real LanceDB."""

import json
import shutil
import tempfile
from pathlib import Path

import pytest

from extractor_apis.naming import FeatureURI
from extractor_apis.run import ErrorBudget, RunPhase, RunState
from extractor_runtime import errors
from extractor_stores import Store, StoreBusy, search
from support.batch_scenes import TEXTS, Scene, documents

pytestmark = pytest.mark.integration

URI = FeatureURI("probe", "1.0.0", "vector")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """One clean run, to compare with."""
    scene = Scene(tmp_path_factory.mktemp("clean"))
    scene.write(TEXTS)
    scene.run()
    return scene


def test_what_the_author_leaves_in_temporary_files_goes_with_the_run(clean: Scene) -> None:
    assert [path.name for path in Path(tempfile.gettempdir()).glob("test-batch-left-over-*")] == []


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path)
    scene.write(TEXTS)
    return scene


@pytest.fixture
def ran(clean: Scene, tmp_path: Path) -> Scene:
    """A store that a clean run has filled, from a source of its own."""
    scene = Scene(tmp_path)
    scene.tree, scene.source = clean.tree, clean.source
    shutil.copytree(clean.store, scene.store)
    return scene


def test_a_run_stores_every_passage_and_finds_it_again(clean: Scene) -> None:
    stored = documents(clean.store)

    with Store.open(clean.store, create=False) as store:
        [hit] = search(store, URI, next(vector for _, text, vector in stored if text == "word7"), limit=1)

    assert len(stored) == 90
    assert (hit.object_id, hit.document["text"], hit.score) == ("o7", "word7", pytest.approx(1.0))


def test_a_second_run_takes_nothing_and_starts_no_ray(ran: Scene) -> None:
    before = documents(ran.store)

    with ran.start() as child:
        out, problems = child.communicate(timeout=60)

    assert child.returncode == 0, problems
    state = RunState.model_validate_json(out.splitlines()[-1])
    assert (state.phase, state.objects_total, state.objects_todo) == (RunPhase.COMPLETED, 30, 0)
    assert "start_ray" not in out
    assert documents(ran.store) == before


def test_a_later_run_takes_what_is_new_or_changed_and_removes_what_is_gone(ran: Scene) -> None:
    texts = {**TEXTS, "o1": "changed", "new": "brand new"}
    del texts["o0"]
    ran.source = ran.folder / "objects.jsonl"
    shutil.rmtree(ran.store)
    ran.write(TEXTS)
    ran.run()
    ran.write(texts)

    state = ran.run()

    assert (state.objects_todo, state.objects_unchanged, state.documents) == (2, 28, 3)
    assert sorted(text for _, text, _ in documents(ran.store)) == sorted(
        word for text in texts.values() for word in text.split()
    )


def test_objects_that_fail_become_dead_letters_and_are_taken_again(scene: Scene) -> None:
    scene.write({**TEXTS, "bad": "fine poison fine"})

    state = scene.run()

    [letters] = scene.store.glob("runs/*/dead-letters/*.jsonl")
    [letter] = [json.loads(line) for line in letters.read_text().splitlines()]
    assert (state.phase, state.dead_letters, state.objects_failed) == (RunPhase.COMPLETED, 1, 1)
    assert (letter["object_id"], letter["location"], letter["error"]) == (
        "bad",
        "pipeline.py:15",
        "ValueError: poisoned",
    )
    scene.write({**TEXTS, "bad": "mended"})
    assert scene.run().objects_todo == 1


def test_a_run_fails_when_the_error_budget_is_spent(scene: Scene) -> None:
    scene.write({f"o{number}": "poison" if number % 2 else "fine" for number in range(30)})

    with pytest.raises(
        errors.RunError, match=r"objects failed, more than the error budget of 2; the first: object o"
    ):
        scene.run(error_budget=ErrorBudget(count=2, share=0))

    with Store.open(scene.store, create=False) as store:
        assert store.records() == []


@pytest.mark.parametrize(
    ("pipeline", "want"),
    [
        pytest.param(
            "import os\nraise ValueError('x')", "pipeline.py:2: pipeline.py does not import", id="no import"
        ),
        pytest.param(
            "__import__('time').sleep(900)",
            "pipeline.py:1: the pipeline did not return within 2 s",
            id="never imports",
        ),
        pytest.param("x = 1", "pipeline.py:1: define build_steps", id="no build_steps"),
        pytest.param(
            "def build_steps():\n    return 1 / 0", "pipeline.py:2: build_steps failed: Zero", id="raises"
        ),
        pytest.param(
            "def build_steps():\n    return {}", "pipeline.py:1: build_steps returned no steps", id="no steps"
        ),
    ],
)
def test_a_pipeline_that_cannot_be_built_fails_before_ray_starts(
    tmp_path: Path, pipeline: str, want: str
) -> None:
    scene = Scene(tmp_path, pipeline)
    scene.write(TEXTS)

    with pytest.raises(errors.AuthorError) as caught:
        scene.run(batch_timeout=2.0)

    assert str(caught.value).startswith(want)


def test_an_empty_source_changes_nothing(ran: Scene) -> None:
    before = documents(ran.store)
    ran.source = ran.folder / "empty.jsonl"
    ran.write({})

    with pytest.raises(errors.RunError, match="holds no objects"):
        ran.run()

    assert documents(ran.store) == before


# What a row's text says is what it does to the run.


def test_a_second_run_at_once_is_refused(ran: Scene) -> None:
    with (
        Store.open(ran.store, create=False) as store,
        store.lock("default", "run-first"),
        pytest.raises(StoreBusy, match="run-first"),
    ):
        ran.run()
