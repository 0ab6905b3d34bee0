"""What pods have written is read with care: no link is followed, nothing blocks, nothing is too large."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from extractor_apis.run import RunPhase, RunState
from extractor_apis.settings import Cluster
from extractor_operator import results
from extractor_operator.results import Results

AT = datetime(2026, 1, 1, tzinfo=UTC)
STATE = RunState(run_id="run", phase=RunPhase.RUNNING, started=AT, updated=AT).model_dump_json()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the folder of the run `run`."""
    made = tmp_path / "results/team/runs/run"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def team(tmp_path: Path) -> Results:
    cluster = Cluster(
        runtime_image="runtime", endpoint="http://endpoint", results=f"file://{tmp_path}/results/"
    )
    return Results.of(cluster, "team")


def test_a_run_tells_how_far_it_is(team: Results, folder: Path) -> None:
    (folder / "state.json").write_text(STATE)

    state = team.state("run")

    assert state is not None and state.phase is RunPhase.RUNNING


def test_a_link_is_not_followed(team: Results, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(STATE)
    (folder / "state.json").symlink_to(tmp_path / "elsewhere")

    assert team.state("run") is None


def test_a_folder_that_is_a_link_is_not_followed(team: Results, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/state.json").write_text(STATE)
    folder.rmdir()
    folder.symlink_to(tmp_path / "elsewhere")

    assert team.state("run") is None


def test_the_folder_of_a_namespace_that_is_a_link_is_not_followed(
    team: Results, folder: Path, tmp_path: Path
) -> None:
    (folder / "state.json").write_text(STATE)
    (tmp_path / "results/team").rename(tmp_path / "elsewhere")
    (tmp_path / "results/team").symlink_to(tmp_path / "elsewhere")

    assert team.state("run") is None


def test_a_pipe_does_not_block(team: Results, folder: Path) -> None:
    os.mkfifo(folder / "state.json")

    assert team.state("run") is None


def test_what_is_too_large_is_not_read(team: Results, folder: Path) -> None:
    (folder / "state.json").write_text(STATE + " " * results.STATE_BYTES)

    assert team.state("run") is None


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"phase": "Dancing"}', id="no state"),
    ],
)
def test_what_is_damaged_says_nothing(team: Results, folder: Path, content: bytes) -> None:
    (folder / "state.json").write_bytes(content)

    assert team.state("run") is None


def test_people_are_told_where_logs_and_dead_letters_are(team: Results, tmp_path: Path) -> None:
    root = f"file://{tmp_path}/results/team/runs/run"

    assert (team.logs("run"), team.dead_letters("run")) == (f"{root}/logs", f"{root}/dead-letters")
