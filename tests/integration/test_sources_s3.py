import gzip
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from extractor_runtime.sources import SourceError, open_source
from support import s3

pytestmark = pytest.mark.integration

LINES = b"".join(b'{"id":"%d","text":"row %d"}\n' % (number, number) for number in range(1000))


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with s3.serve():
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table({"id": [1, 2], "text": ["a", "b"]}), sink)
        s3.put(
            {
                "docs/a.txt": b"A",
                "docs/sub/b #1.txt": b"B",
                "docs/sub/photo.png": b"png",
                "docs/.hidden/c.txt": b"C",
                "docs/marker": b"",
                "records/a.jsonl": LINES,
                "records/b.jsonl.gz": gzip.compress(b'{"id":"gz","text":"t"}\n'),
                "table.parquet": sink.getvalue().to_pybytes(),
                "broken.jsonl": b'{"text":"a"}\n{"text"\n',
            }
        )
        yield f"s3://{s3.BUCKET}"


def read(url: str) -> list[dict[str, object]]:
    return [row for table in open_source(url, mappings={}).read() for row in table.to_pylist()]


def test_folder_of_a_bucket_is_read_as_files(bucket: str) -> None:
    rows = read(f"{bucket}/docs/")

    assert [(row["object_id"], row["blob_type"], row["size_bytes"], row["data"]) for row in rows] == [
        ("a.txt", "text", 0, "A"),
        ("sub/b #1.txt", "text", 0, "B"),
        ("sub/photo.png", "image", 3, f"{bucket}/docs/sub/photo.png"),
    ]


def test_object_of_a_bucket_is_named_without_its_folders(bucket: str) -> None:
    [row] = read(f"{bucket}/docs/sub/b #1.txt")

    assert (row["object_id"], row["data"]) == ("b #1.txt", "B")


@pytest.mark.parametrize(
    ("pattern", "want"),
    [
        ("docs/*", ["a.txt"]),
        ("docs/**/*.txt", ["a.txt", "sub/b #1.txt"]),
        ("docs/sub/?hoto.[!j]*", ["photo.png"]),
    ],
)
def test_glob_matches_as_it_does_on_a_disk(bucket: str, pattern: str, want: list[str]) -> None:
    assert [row["object_id"] for row in read(f"{bucket}/{pattern}")] == want


@pytest.mark.parametrize(
    ("key", "want"),
    [("records/a.jsonl", 1000), ("records", 1001), ("records/*.gz", 1), ("table.parquet", 2)],
)
def test_record_files_of_a_bucket_are_read_as_records(bucket: str, key: str, want: int) -> None:
    assert len(read(f"{bucket}/{key}")) == want


def test_binary_changes_with_its_entity_tag(bucket: str) -> None:
    [before] = read(f"{bucket}/docs/sub/photo.png")
    s3.put({"docs/sub/photo.png": b"new"})

    [after] = read(f"{bucket}/docs/sub/photo.png")

    assert before["content_hash"] != after["content_hash"]


def test_every_spelling_of_a_folder_is_the_same_source(bucket: str) -> None:
    spellings = [f"{bucket}/docs", f"{bucket}/docs/", f"S3{bucket[2:]}/docs"]

    assert {open_source(spelling, mappings={}).uri for spelling in spellings} == {f"{bucket}/docs"}


@pytest.mark.parametrize(
    ("url", "want"),
    [
        pytest.param(
            "{}/gone.txt", "there is nothing at {}/gone.txt: check the bucket and the key", id="object"
        ),
        pytest.param("{}/gone/*.txt", "there is nothing at {}/gone/*.txt", id="glob"),
        pytest.param("{}x/a/", "cannot list {}x/a: The specified bucket does not exist; check", id="bucket"),
        pytest.param("{}/[z-a].txt", "cannot list {}/[z-a].txt: bad character range z-a", id="bad glob"),
        pytest.param("s3:///a", "s3:///a names no bucket: write s3://bucket/key", id="no bucket"),
        pytest.param("s3://key:pw@bucket/a", "s3://bucket/a names no bucket", id="credentials"),
        pytest.param(
            "az://container/a", "cannot list az://container/a: Generic MicrosoftAz", id="no account"
        ),
    ],
)
def test_location_that_leads_nowhere_is_named(bucket: str, url: str, want: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(url.format(bucket), mappings={})

    assert str(caught.value).startswith(want.format(bucket))


def test_broken_line_of_an_object_is_named(bucket: str) -> None:
    with pytest.raises(SourceError, match=r"broken.jsonl line 2: not valid JSON"):
        read(f"{bucket}/broken.jsonl")
