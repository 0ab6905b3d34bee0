"""Logs leave the jail as files, whatever the author's code put among them."""

import os
from pathlib import Path

import pytest

from extractor_apis.errors import ExtractorError
from extractor_cli import trial_logs


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "trial/store/runs/trial-1/logs"
    folder.mkdir(parents=True)
    (folder / "worker-1.out").write_text("hello from the author\n")
    return folder


def test_what_workers_wrote_is_kept(tmp_path: Path, logs: Path) -> None:
    trial_logs.keep(tmp_path / "trial", tmp_path / "kept/here")

    assert (tmp_path / "kept/here/worker-1.out").read_text() == "hello from the author\n"


def test_links_and_pipes_are_left(tmp_path: Path, logs: Path) -> None:
    (tmp_path / "secret").write_text("the user's own")
    (logs / "worker-2.out").symlink_to(tmp_path / "secret")
    os.mkfifo(logs / "worker-3.out")
    (logs / "folder").mkdir()

    trial_logs.keep(tmp_path / "trial", tmp_path / "kept")

    assert os.listdir(tmp_path / "kept") == ["worker-1.out"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, logs: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ExtractorError, match=r"cannot keep the logs in .*file"):
        trial_logs.keep(tmp_path / "trial", tmp_path / "file")
