import pytest

from extractor_artifacts.errors import ArtifactError
from extractor_runtime.sources import SourceError, open_source
from support.scripted_http import Answer, serve

pytestmark = pytest.mark.integration


def read(url: str) -> list[dict[str, object]]:
    return [row for table in open_source(url, mappings={}).read() for row in table.to_pylist()]


def test_record_file_on_the_web_is_read_as_records() -> None:
    with serve(Answer(b'{"id":"a","image_url":"b.png"}\n')) as server:
        [row] = read(f"{server.url}/dir/r.jsonl?sig=s3cret")

    assert (row["object_id"], row["data"]) == ("a", f"{server.url}/dir/b.png")


def test_text_on_the_web_is_one_object() -> None:
    with serve(Answer(b"hello")) as server:
        [row] = read(f"{server.url}/a%20b.txt")

    assert (row["object_id"], row["data"]) == ("a b.txt", "hello")


def test_source_is_known_without_its_secrets() -> None:
    source = open_source("https://me:pw@host/r.jsonl?sig=s3cret", mappings={})

    assert source.uri == "https://host/r.jsonl"


def test_other_files_on_the_web_are_refused() -> None:
    with pytest.raises(SourceError, match=r"https://host/a.png does not end as a file of records or text"):
        open_source("https://host/a.png?sig=s3cret", mappings={})


def test_missing_file_is_named() -> None:
    with (
        serve(Answer(status=404)) as server,
        pytest.raises(ArtifactError, match=f"{server.url}/r.jsonl: HTTP 404"),
    ):
        read(f"{server.url}/r.jsonl")
