"""What pods have written is read with care: no link is followed, nothing blocks, nothing is too large."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from extractor_apis.results import CompletionRecord, DocumentsIn
from extractor_apis.run import RunPhase, RunState
from extractor_apis.settings import Cluster
from extractor_operator import results
from extractor_operator.results import Results

AT = datetime(2026, 1, 1, tzinfo=UTC)
STATE = RunState(run_id="run", phase=RunPhase.RUNNING, started=AT, updated=AT).model_dump_json()
RECORD = CompletionRecord(
    collection="news",
    extractor="text",
    version="1.0.0",
    artifact_digest="sha256:1",
    features=(),
    documents_in=DocumentsIn.TABLE,
    table_version=1,
    documents=1,
).model_dump_json()


def told(**fields: object) -> bytes:
    """Write a state with other fields."""
    return json.dumps({**json.loads(STATE), **fields}).encode()


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
        pytest.param(told(started="2026-01-01T00:00:00"), id="a time of nowhere"),
        pytest.param(told(updated="0001-01-01T00:00:00+14:00"), id="a time before all time"),
        pytest.param(told(objects_done=10**30), id="a number that the API server does not take"),
        pytest.param(told(objects_failed=-1), id="a number below zero"),
        pytest.param(told(seconds_left=1e300), id="an end after all time"),
        pytest.param(told(seconds_left=0.5).replace(b"0.5", b"NaN"), id="no number"),
    ],
)
def test_what_is_damaged_says_nothing(team: Results, folder: Path, content: bytes) -> None:
    (folder / "state.json").write_bytes(content)

    assert team.state("run") is None


@pytest.mark.parametrize(
    "version",
    [
        pytest.param("../../../../other/records/news/text/1.0.0", id="above the namespace"),
        pytest.param("{tmp_path}/results/other/records/news/text/1.0.0", id="from the root on"),
        pytest.param("1.0.0\n", id="no version"),
    ],
)
def test_a_pointer_leads_nowhere_else(team: Results, tmp_path: Path, version: str) -> None:
    mine, others = (tmp_path / "results" / each / "records/news/text" for each in ("team", "other"))
    pointed = version.format(tmp_path=tmp_path)
    for folder in (mine, others):
        folder.mkdir(parents=True)
        for name in ("1.0.0", "1.0.0\n"):
            (folder / f"{name}.json").write_text(RECORD)
    (mine / "pointer.json").write_text(json.dumps({"version": pointed}))

    assert team.published("news", "text") is None


def test_no_path_leads_out_of_the_namespace(team: Results, tmp_path: Path) -> None:
    (tmp_path / "results/team").mkdir(parents=True)
    others = tmp_path / "results/other/runs/run"
    others.mkdir(parents=True)
    (others / "state.json").write_text(STATE)

    assert (team.state("../../other/runs/run"), team.state(str(others))) == (None, None)


def test_people_are_told_where_logs_and_dead_letters_are(team: Results, tmp_path: Path) -> None:
    root = f"file://{tmp_path}/results/team/runs/run"

    assert (team.logs("run"), team.dead_letters("run")) == (f"{root}/logs", f"{root}/dead-letters")
