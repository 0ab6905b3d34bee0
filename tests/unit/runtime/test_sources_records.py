import json
from pathlib import Path
from typing import Any

import pytest

from extractor_runtime.sources import SCHEMA, SourceError, open_source

Rows = list[dict[str, Any]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "topics.jsonl"


def write(file: Path, *records: object) -> Path:
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


def read(file: Path, **mappings: str) -> Rows:
    return [row for table in open_source(str(file), mappings=mappings).read() for row in table.to_pylist()]


def ids(file: Path) -> list[str]:
    return [row["object_id"] for row in read(file)]


def test_record_becomes_an_object(file: Path) -> None:
    write(file, {"id": "a", "text": "Hello", "lang": "en", "n": 1})

    [row] = read(file)

    assert {name: value for name, value in row.items() if name != "content_hash"} == {
        "object_id": "a",
        "blob_property": "text",
        "blob_type": "text",
        "mime_type": "text/plain",
        "size_bytes": 0,
        "data": "Hello",
        "fields": '{"lang":"en","n":1}',
    }


@pytest.mark.parametrize(
    ("record", "mappings", "want"),
    [
        pytest.param({"text": "t", "body": "b"}, {"text": "body"}, "body", id="the mapped field"),
        pytest.param(
            {"text": "t", "a": "1", "b": "2"}, {"x": "b", "y": "a"}, "b", id="the first mapped field"
        ),
        pytest.param(
            {"a": None, "b": "2"}, {"x": "a", "y": "b"}, "b", id="the first mapped field with a value"
        ),
        pytest.param(
            {"text": "t", "b": "2"}, {"x": "gone"}, "text", id="a usual name if no mapped field is there"
        ),
        pytest.param({"body": "b", "data": "d", "text": "t"}, {}, "data", id="data before text"),
        pytest.param({"photo_url": "p", "name": "n"}, {}, "photo_url", id="a field that ends in _url"),
        pytest.param({"id": "a", "title": "t", "n": 1}, {}, "title", id="the only text, which an id is not"),
    ],
)
def test_data_field_is(file: Path, record: dict[str, object], mappings: dict[str, str], want: str) -> None:
    [row] = read(write(file, record), **mappings)

    assert row["blob_property"] == want
    assert row["data"] == record[want]


@pytest.mark.parametrize(
    ("record", "want"),
    [
        pytest.param({"product": "p", "review": "r"}, "review", id="read where nothing is usual"),
        pytest.param({"product_url": "p", "review": "r"}, "review", id="read before another field's URL"),
        pytest.param({"text": "t", "review": "r"}, "text", id="left where a usual name is"),
    ],
)
def test_a_field_that_the_extractor_asks_for_is(file: Path, record: dict[str, str], want: str) -> None:
    (table,) = open_source(str(write(file, record)), mappings={}, names=["id", "review"]).read()

    assert table.column("data").to_pylist() == [record[want]]


@pytest.mark.parametrize(
    ("value", "want"),
    [
        (None, None),
        ("", ""),
        (1.5, "1.5"),
        (["a", 1], '["a",1]'),
        ("nan", "nan"),
        ("see photo.jpg", "see photo.jpg"),
        ("https://example.com/page", "https://example.com/page"),
        ("data:text/plain,tea", "data:text/plain,tea"),
        ("data: a table", "data: a table"),
    ],
)
def test_value_is_handed_on_as_text(file: Path, value: object, want: str | None) -> None:
    [row] = read(write(file, {"text": value}))

    assert (row["blob_type"], row["data"]) == ("text", want)


@pytest.mark.parametrize(
    ("value", "want"),
    [
        ("https://host/a.JPG?w=1", ("image", "image/jpeg", "https://host/a.JPG?w=1")),
        ("s3://bucket/a.mp4", ("video", "video/mp4", "s3://bucket/a.mp4")),
        ("/data/a.flac", ("audio", "audio/flac", "/data/a.flac")),
        ("../a.pdf", ("document", "application/pdf", "{parent}/a.pdf")),
        ("data:image/PNG;base64,iVBO", ("image", "image/png", "data:image/PNG;base64,iVBO")),
    ],
)
def test_reference_to_a_binary_keeps_its_address(file: Path, value: str, want: tuple[str, str, str]) -> None:
    [row] = read(write(file, {"url": value}))

    kind, mime, address = want
    assert (row["blob_type"], row["mime_type"], row["data"]) == (
        kind,
        mime,
        address.format(parent=file.parent.parent),
    )


@pytest.mark.parametrize("name", ["my cat.png", "Bild grün 1.png", "Screen Shot at 9.41.00\u202fAM.png"])
def test_a_name_with_spaces_is_a_file_if_there_is_one(file: Path, name: str) -> None:
    (file.parent / name).write_bytes(b"one")

    there, absent = read(write(file, {"text": name}, {"text": f"not {name}"}))

    assert (there["mime_type"], there["data"]) == ("image/png", str(file.parent / name))
    assert (absent["mime_type"], absent["data"]) == ("text/plain", f"not {name}")


def test_a_url_may_hold_spaces(file: Path) -> None:
    [row] = read(write(file, {"url": "s3://bucket/my cats/a b.png"}))

    assert (row["mime_type"], row["data"]) == ("image/png", "s3://bucket/my cats/a b.png")


def test_object_changes_when_the_file_that_it_names_does(file: Path) -> None:
    image = file.parent / "a.png"
    image.write_bytes(b"one")
    [before] = read(write(file, {"id": "a", "image_url": "a.png"}))

    image.write_bytes(b"another")

    [after] = read(file)
    assert (before["size_bytes"], after["size_bytes"]) == (3, 7)
    assert before["content_hash"] != after["content_hash"]


def test_mapped_input_names_become_columns(file: Path) -> None:
    write(file, {"title": "T", "photo": "a.png"}, {"title": "U", "n": 1})

    first, second = read(file, text="title", image="photo", data="n", other="gone")

    assert set(first) == {*SCHEMA.names, "text", "image"}
    assert (first["text"], first["image"]) == ("T", str(file.parent / "a.png"))
    assert (second["text"], second["image"]) == ("U", None)


def test_a_record_without_any_mapped_field_is_read_by_every_mapped_name(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", {"id": "a", "title": "T"})
    write(tmp_path / "b.jsonl", {"id": "b", "text": "U"})

    rows = read(tmp_path, title="title", image="photo")

    assert [(row["data"], row["title"]) for row in rows] == [("T", "T"), ("U", "U")]


def test_tables_end_after_the_rows_asked_for(file: Path) -> None:
    write(file, *({"text": str(number)} for number in range(5)))

    tables = list(open_source(str(file), mappings={}).read(2))

    assert [table.num_rows for table in tables] == [2, 2, 1]
    assert all(table.schema == SCHEMA for table in tables)


@pytest.mark.parametrize(
    ("record", "want"),
    [
        ({"object_id": "a", "_id": "b", "id": "c"}, "a"),
        ({"_id": "b", "id": "c"}, "b"),
        ({"id": 7}, "7"),
        ({"_id": {"$oid": "65"}}, "65"),
        ({"object_id": None, "id": "c"}, "c"),
    ],
)
def test_object_is_called_by_its_id(file: Path, record: dict[str, object], want: str) -> None:
    assert ids(write(file, {"text": "t", **record})) == [want]


@pytest.mark.parametrize("nothing", [{}, {"id": None}, {"id": ""}], ids=["no id", "null", "empty"])
def test_record_without_an_id_is_called_after_its_content(file: Path, nothing: dict[str, object]) -> None:
    before = ids(write(file, {"text": "a", **nothing}, {"text": "b", **nothing}))

    after = ids(write(file, {"text": "new", **nothing}, {"text": "a", **nothing}, {"text": "b", **nothing}))

    assert after[1:] == before
    assert len(set(after)) == 3


def test_equal_records_are_different_objects(file: Path) -> None:
    first = ids(write(file, {"text": "a"}, {"text": "a"}, {"text": "a"}))

    assert len(set(first)) == 3
    assert ids(write(file, {"text": "a"}, {"text": "b"}, {"text": "a"}))[0] == first[0]


def test_content_hash_tells_changed_records_from_unchanged(file: Path) -> None:
    before = read(write(file, {"id": "a", "text": "1"}, {"id": "b", "text": "1"}))

    after = read(write(file, {"id": "a", "text": "1"}, {"id": "b", "text": "1", "tag": "new"}))

    same = [old["content_hash"] == new["content_hash"] for old, new in zip(before, after, strict=True)]
    assert same == [True, False]


@pytest.mark.parametrize(
    ("records", "want"),
    [
        pytest.param(
            [{"a": "1", "b": "2"}],
            "topics.jsonl line 1: no field says what the data is (it has a, b); name one in the manifest's "
            "input_mappings",
            id="two texts",
        ),
        pytest.param(
            [{"n": 1}], "topics.jsonl line 1: no field says what the data is (it has n)", id="no text"
        ),
        pytest.param(
            [{}], "topics.jsonl line 1: no field says what the data is (it has no fields)", id="no field"
        ),
        pytest.param(
            [{"text": "t"}, {"text": "t"}, {"body": "t"}],
            "topics.jsonl line 3: no field text (it has body)",
            id="a later record without the field",
        ),
        pytest.param(
            [{"id": "a", "text": "1"}, {"text": "2"}, {"id": "a", "text": "3"}],
            "topics.jsonl line 3: id 'a' is taken by topics.jsonl line 1; ids must differ",
            id="an id twice",
        ),
        pytest.param(
            [{"id": True, "text": "1"}],
            "topics.jsonl line 1: id is neither text nor a whole number",
            id="no id",
        ),
    ],
)
def test_record_that_is_no_object_is_named(file: Path, records: list[object], want: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(write(file, *records))

    assert str(caught.value).startswith(want)


def test_ids_differ_across_files(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", {"id": 1, "text": "t"})
    write(tmp_path / "b.jsonl", {"id": 1, "text": "t"})

    with pytest.raises(SourceError, match=r"b.jsonl line 1: id '1' is taken by a.jsonl line 1"):
        read(tmp_path)
