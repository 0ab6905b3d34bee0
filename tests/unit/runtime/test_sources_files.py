import hashlib
import os
from pathlib import Path

import pytest

from extractor_runtime.sources import SCHEMA, SourceError, objects, open_source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of files of every kind, hidden ones too."""
    root = tmp_path / "docs"
    for name, content in {
        "b.txt": b"\xef\xbb\xbfB\xc3\xa9",
        "a/note.md": b"# A",
        "a/deep/photo.PNG": b"png",
        "film.mkv": b"mkv",
        "scan.pdf": b"pdf",
        "blob": b"?",
        ".hidden": b"",
        ".git/config": b"",
        "a/.cache/x.txt": b"",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def read(location: str | Path) -> list[dict[str, object]]:
    return [
        row
        for table in open_source(str(location), mappings={"text": "t"}).read()
        for row in table.to_pylist()
    ]


def names(location: str | Path) -> list[object]:
    return [row["object_id"] for row in read(location)]


def test_files_of_a_folder_are_objects_in_the_order_of_their_names(folder: Path) -> None:
    rows = read(folder)

    assert [
        (row["object_id"], row["blob_type"], row["mime_type"], row["size_bytes"], row["data"]) for row in rows
    ] == [
        ("a/deep/photo.PNG", "image", "image/png", 3, str(folder / "a/deep/photo.PNG")),
        ("a/note.md", "text", "text/markdown", 0, "# A"),
        ("b.txt", "text", "text/plain", 0, "Bé"),
        ("blob", "document", "application/octet-stream", 1, str(folder / "blob")),
        ("film.mkv", "video", "video/x-matroska", 3, str(folder / "film.mkv")),
        ("scan.pdf", "document", "application/pdf", 3, str(folder / "scan.pdf")),
    ]


def test_objects_of_files_have_no_more_columns_than_any(folder: Path) -> None:
    [table] = open_source(str(folder), mappings={"text": "t"}).read()

    assert table.schema == SCHEMA


@pytest.mark.parametrize(
    ("pattern", "want"),
    [
        ("*.txt", ["b.txt"]),
        ("a/*", ["note.md"]),
        ("**/*.[mP]*", ["a/deep/photo.PNG", "a/note.md", "film.mkv"]),
        ("b.txt", ["b.txt"]),
        ("../docs/b.txt", ["b.txt"]),
    ],
)
def test_glob_names_files_relative_to_its_fixed_part(folder: Path, pattern: str, want: list[str]) -> None:
    assert names(f"{folder}/{pattern}") == want


def test_name_that_looks_like_a_glob_is_taken_as_it_is(folder: Path) -> None:
    (folder / "a[1].txt").write_text("x")

    assert names(folder / "a[1].txt") == ["a[1].txt"]


def test_folder_of_record_files_is_read_as_records(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text('{"id":"2","text":"x"}\n')
    (tmp_path / "a.csv").write_text("id,title\n1,y\n")

    assert [(row["object_id"], row["data"]) for row in read(tmp_path)] == [("1", "y"), ("2", "x")]


def test_folder_of_mixed_files_is_read_as_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,title\n")
    (tmp_path / "b.txt").write_text("x")

    assert names(tmp_path) == ["a.csv", "b.txt"]


def test_every_spelling_of_a_path_is_the_same_source(folder: Path) -> None:
    spellings = [f"{folder}", f"{folder}/", f"{folder}/a/..", folder.as_uri(), os.path.relpath(folder)]

    assert {open_source(spelling, mappings={}).uri for spelling in spellings} == {str(folder)}


def test_content_hash_is_of_the_text(folder: Path) -> None:
    [row] = read(folder / "a/note.md")

    assert row["content_hash"] == hashlib.sha256(b"# A").hexdigest()


def test_content_hash_of_a_binary_changes_with_it(folder: Path) -> None:
    [before] = read(folder / "scan.pdf")
    os.utime(folder / "scan.pdf", ns=(1, 1))

    [after] = read(folder / "scan.pdf")

    assert before["content_hash"] != after["content_hash"]


def test_empty_folder_gives_no_table(tmp_path: Path) -> None:
    source = open_source(str(tmp_path), mappings={})

    assert list(source.read()) == []


@pytest.mark.parametrize(
    ("location", "want"),
    [
        pytest.param(
            "{}/gone/x.txt", "there is no {}/gone/x.txt: the nearest folder that exists is {}", id="path"
        ),
        pytest.param(
            "{}/a/*.txt", "nothing matches {}/a/*.txt: the nearest folder that exists is {}/a", id="glob"
        ),
        pytest.param(
            "{}/gone/*/x", "nothing matches {}/gone/*/x: the nearest folder that exists is {}", id="far"
        ),
        pytest.param(
            "ftp://me:pw@host/a?k", "cannot read ftp://host/a: ftp:// is not supported; give a", id="URL"
        ),
        pytest.param("", "the source is empty: give a path", id="nothing"),
    ],
)
def test_location_that_leads_nowhere_is_named(folder: Path, location: str, want: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(location.format(folder), mappings={})

    assert str(caught.value).startswith(want.format(folder, folder))


@pytest.mark.parametrize(
    ("name", "content", "want"),
    [
        pytest.param(
            "z.txt", b"a\nb\n\xe9", "z.txt line 3: not valid UTF-8 (byte 0xe9, col", id="another encoding"
        ),
        pytest.param(
            "z.txt", b"a" * (objects.MAX_TEXT + 1), "z.txt is larger than the 16,777,216 bytes", id="size"
        ),
    ],
)
def test_text_that_cannot_be_inline_is_named(folder: Path, name: str, content: bytes, want: str) -> None:
    (folder / name).write_bytes(content)

    with pytest.raises(SourceError) as caught:
        read(folder)

    assert str(caught.value).startswith(want)


def test_link_that_leads_nowhere_is_named(folder: Path) -> None:
    (folder / "link").symlink_to("gone")

    with pytest.raises(SourceError, match=f"cannot read {folder}/link: No such file"):
        read(folder)


def test_pipe_in_a_folder_is_passed_over(folder: Path) -> None:
    os.mkfifo(folder / "pipe.txt")

    assert "pipe.txt" not in names(folder)
