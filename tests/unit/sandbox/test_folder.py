"""A folder becomes an archive without what tools leave in it."""

import os
import zipfile
from pathlib import Path

import pytest

from extractor_sandbox import PackError, pack
from support.archives import FILES, judge_bytes


def make_folder(path: Path, *names: str) -> Path:
    for name, data in {**FILES, **dict.fromkeys(names, b"")}.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def packed(folder: Path) -> list[str]:
    into = folder.parent / "packed.zip"
    pack(folder, into)
    with zipfile.ZipFile(into) as archive:
        return archive.namelist()


def test_files_lie_in_a_folder_of_the_same_name(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "text_embed", "processors/core.py", "tests/test_it.py")

    names = packed(folder)

    want = ["manifest.py", "pipeline.py", "processors/core.py", "tests/test_it.py"]
    assert names == [f"text_embed/{name}" for name in want]


@pytest.mark.parametrize("name", ["text-embed", "1.0.0", "größe"])
def test_files_lie_at_the_root_if_the_name_is_no_package(tmp_path: Path, name: str) -> None:
    assert packed(make_folder(tmp_path / name)) == ["manifest.py", "pipeline.py"]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "__pycache__/a.pyc",
            ".git/config",
            ".venv/bin/python",
            ".DS_Store",
            "x.egg-info/PKG-INFO",
            ".gitignore",
        ),
        *(".pytest_cache/x", "processors/__pycache__/core.pyc", "notes.txt~", ".idea/x.xml", "__MACOSX/x"),
    ],
)
def test_what_tools_leave_is_left_out(tmp_path: Path, name: str) -> None:
    assert packed(make_folder(tmp_path / "text-embed", name)) == ["manifest.py", "pipeline.py"]


def test_what_is_packed_is_accepted_and_packed_again_the_same(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "text_embed", "notes.txt")

    pack(folder, folder / "packed.zip")
    first = (folder / "packed.zip").read_bytes()
    pack(folder, folder / "packed.zip")

    assert (folder / "packed.zip").read_bytes() == first
    assert judge_bytes(first).findings == []


def test_a_link_is_an_error_that_names_it(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "text_embed")
    (folder / "weights.bin").symlink_to("/etc/hostname")

    with pytest.raises(PackError, match=r"weights\.bin is a link"):
        packed(folder)


def test_a_pipe_is_an_error_that_names_it(tmp_path: Path) -> None:
    os.mkfifo(make_folder(tmp_path / "text_embed") / "pipe.txt")

    with pytest.raises(PackError, match=r"pipe\.txt is no regular file"):
        packed(tmp_path / "text_embed")


def test_a_name_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "text_embed")
    Path(os.fsdecode(os.fsencode(folder) + b"/gr\xf6\xdfe.txt")).touch()

    with pytest.raises(PackError, match="is no text"):
        packed(folder)


def test_a_folder_without_manifest_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"has no manifest\.py"):
        packed(tmp_path)


def test_too_much_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "text_embed")
    with (folder / "weights.bin").open("wb") as file:
        file.truncate(501 << 20)

    with pytest.raises(PackError, match=r"weights\.bin makes the archive larger"):
        packed(folder)
    assert os.listdir(tmp_path) == ["text_embed"]


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="cannot pack"):
        pack(make_folder(tmp_path / "text_embed"), tmp_path / "missing" / "packed.zip")
