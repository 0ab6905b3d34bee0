import os
from pathlib import Path

import pytest

from extractor_stores import StoreError, files
from extractor_stores.layout import Layout, check_collection


def test_store_keeps_its_id_when_it_is_opened_again(tmp_path: Path) -> None:
    created = Layout.open(tmp_path / "store", create=True)

    assert Layout.open(tmp_path / "store", create=False) == created


def test_two_stores_have_different_ids(tmp_path: Path) -> None:
    ids = {Layout.open(tmp_path / name, create=True).id for name in ("one", "two")}

    assert len(ids) == 2


def test_store_is_made_where_a_killed_run_left_a_temporary_file(tmp_path: Path) -> None:
    (tmp_path / ".format.json.123").write_text("{")

    Layout.open(tmp_path, create=True)

    assert (tmp_path / "format.json").exists()


@pytest.mark.parametrize(
    ("name", "content", "create", "want"),
    [
        pytest.param("notes.txt", "x", True, "is not empty and no store", id="a folder of something else"),
        pytest.param(".hidden", "x", False, "there is no store in", id="no store to read"),
        pytest.param(
            "format.json",
            '{"format": 2, "new": 1}',
            True,
            r"was written by a newer version \(format 2\); upgrade",
            id="a newer format",
        ),
        pytest.param("format.json", '{"format": 1', True, "format.json is damaged", id="half a file"),
        pytest.param("format.json", "[]", True, "format.json is damaged", id="no object"),
        pytest.param("format.json", '{"format": 1}', True, "format.json is damaged", id="no id"),
    ],
)
def test_folder_that_is_no_store_is_refused(
    tmp_path: Path, name: str, content: str, create: bool, want: str
) -> None:
    (tmp_path / name).write_text(content)

    with pytest.raises(StoreError, match=want):
        Layout.open(tmp_path, create=create)


def test_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(StoreError, match="is a file: a store is a folder"):
        Layout.open(tmp_path / "file", create=True)


@pytest.mark.parametrize("name", ["", "Books", "../books", "books/2", "1st", "books\n", "b" * 64])
def test_name_that_a_path_cannot_hold_is_no_collection(name: str) -> None:
    with pytest.raises(StoreError, match="cannot name a collection"):
        check_collection(name)


def test_exclusive_write_keeps_what_is_there(tmp_path: Path) -> None:
    files.write(tmp_path / "file", b"first", exclusive=True)

    files.write(tmp_path / "file", b"second", exclusive=True)

    assert (tmp_path / "file").read_bytes() == b"first"


def test_write_leaves_no_temporary_file(tmp_path: Path) -> None:
    files.write(tmp_path / "deep" / "file", b"first")

    files.write(tmp_path / "deep" / "file", b"second")

    assert os.listdir(tmp_path / "deep") == ["file"]
    assert files.read(tmp_path / "deep" / "file") == b"second"
