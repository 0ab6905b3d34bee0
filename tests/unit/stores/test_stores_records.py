from datetime import UTC, datetime
from pathlib import Path

import pytest

from extractor_stores import SourceRecord, Store, StoreError, records, source_revision
from support.stores import make_record

SOURCE = SourceRecord(
    revision="r", publications=1, objects=2, run_id="run-1", completed=datetime(2026, 1, 1, tzinfo=UTC)
)


def test_source_revision_does_not_depend_on_order() -> None:
    assert source_revision({"a": "1", "b": "2"}) == source_revision({"b": "2", "a": "1"})


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({}, id="no object"),
        pytest.param({"a": "1"}, id="one object less"),
        pytest.param({"a": "1", "b": "3"}, id="another revision"),
        pytest.param({"a": "1b", "": "2"}, id="the same letters"),
    ],
)
def test_source_revision_differs_when_an_object_does(other: dict[str, str]) -> None:
    assert source_revision(other) != source_revision({"a": "1", "b": "2"})


def test_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = make_record(sources={"shelf": SOURCE})
    with Store.open(tmp_path, create=True) as store:
        records.write_record(store.layout, record)

        assert store.record(record.collection, record.extractor, record.version) == record
        assert store.records() == [record]


def test_nothing_is_published_in_a_new_store(tmp_path: Path) -> None:
    with Store.open(tmp_path, create=True) as store:
        assert store.record("books", "embedder", "1.0.0") is None
        assert store.pointer("books", "embedder") is None
        assert store.records() == []


def test_pointer_that_stays_is_not_written_again(tmp_path: Path) -> None:
    with Store.open(tmp_path, create=True) as store:
        records.write_pointer(store.layout, "books", "embedder", "1.0.0")
        path = store.layout.pointer("books", "embedder")
        written = path.stat().st_ino

        records.write_pointer(store.layout, "books", "embedder", "1.0.0")

        assert (path.stat().st_ino, store.pointer("books", "embedder")) == (written, "1.0.0")


def test_damaged_record_is_named(tmp_path: Path) -> None:
    with Store.open(tmp_path, create=True) as store:
        records.write_record(store.layout, make_record())
        path = store.layout.record("books", "embedder", "1.0.0")
        path.write_text('{"collection"')

        with pytest.raises(StoreError, match=rf"{path} is damaged: restore it"):
            store.records()
