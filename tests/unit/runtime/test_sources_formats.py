import datetime
import gzip
import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from extractor_runtime.sources import SourceError, open_source

LONG = "x" * 200_000
RECORDS = [{"id": "1", "text": 'Ünï "quoted",\nline', "tag": ""}, {"id": "2", "text": LONG, "tag": "b"}]
CSV = f'id,text,tag\n1,"Ünï ""quoted"",\nline",\n2,{LONG},b\n'
TSV = f'id\ttext\ttag\n1\t"Ünï ""quoted"",\nline"\t\n2\t{LONG}\tb\n'
LINES = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in RECORDS)


def parquet(records: object) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(records), sink)
    return bytes(sink.getvalue())


def read(path: Path) -> list[dict[str, object]]:
    return [row for table in open_source(str(path), mappings={}).read() for row in table.to_pylist()]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.jsonl", LINES.encode(), id="JSON lines"),
        pytest.param("a.NDJSON", LINES.encode(), id="JSON lines, another name"),
        pytest.param("a.jsonl", b"\xef\xbb\xbf" + LINES.encode(), id="JSON lines with a byte order mark"),
        pytest.param("a.jsonl", LINES.replace("\n", "\r\n\r\n").encode(), id="JSON lines with blank lines"),
        pytest.param("a.jsonl", LINES.rstrip().encode(), id="JSON lines without a last newline"),
        pytest.param("a.jsonl.gz", gzip.compress(LINES.encode()), id="compressed JSON lines"),
        pytest.param("a.json", json.dumps(RECORDS, indent=2).encode(), id="a JSON array"),
        pytest.param("a.csv", CSV.encode(), id="CSV"),
        pytest.param("a.csv", b"\xef\xbb\xbf" + CSV.encode() + b"\n\n", id="CSV with a mark and blank lines"),
        pytest.param("a.csv.gz", gzip.compress(CSV.encode()), id="compressed CSV"),
        pytest.param("a.tsv", TSV.encode(), id="TSV"),
        pytest.param("a.parquet", parquet(RECORDS), id="Parquet"),
    ],
)
def test_every_format_gives_the_same_objects(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)

    rows = read(tmp_path / name)

    assert [(row["object_id"], row["data"], row["fields"]) for row in rows] == [
        ("1", RECORDS[0]["text"], '{"tag":""}'),
        ("2", LONG, '{"tag":"b"}'),
    ]


def test_numbers_of_a_csv_stay_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text\n007,1.50\n")

    [row] = read(tmp_path / "a.csv")

    assert (row["object_id"], row["data"]) == ("007", "1.50")


def test_dates_and_decimals_of_parquet_become_json(tmp_path: Path) -> None:
    record = {"text": "t", "day": datetime.date(2026, 1, 2), "price": Decimal("1.50"), "tags": ["a"]}
    (tmp_path / "a.parquet").write_bytes(parquet([record]))

    [row] = read(tmp_path / "a.parquet")

    assert row["fields"] == '{"day":"2026-01-02","price":"1.50","tags":["a"]}'


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.jsonl", b""), ("a.jsonl", b"\n \n"), ("a.json", b"[]"), ("a.csv", b""), ("a.csv", b"id,text\n")],
)
def test_file_without_records_gives_no_table(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)

    assert read(tmp_path / name) == []


GOOD = b'{"text":"a"}\n'


@pytest.mark.parametrize(
    ("name", "content", "want"),
    [
        pytest.param(
            "a.jsonl",
            GOOD * 2 + b'{"text" "b"}\n' + GOOD,
            "a.jsonl line 3: not valid JSON (unexpected character, expected ':' after key, column 9)",
            id="a broken line",
        ),
        pytest.param("a.jsonl", GOOD + b"[1]\n", "a.jsonl line 2: not an object but a list", id="a list"),
        pytest.param("a.jsonl", b"\n\nnull\n", "a.jsonl line 3: not an object but null", id="null"),
        pytest.param(
            "a.jsonl",
            GOOD + b'{"text":"\xff"}\n',
            "a.jsonl line 2: not valid UTF-8 (byte 0xff, column 10); save the file as UTF-8",
            id="another encoding",
        ),
        pytest.param(
            "a.jsonl.gz", gzip.compress(GOOD)[:-9], "a.jsonl.gz cannot be read after line 1:", id="cut gzip"
        ),
        pytest.param(
            "a.jsonl.gz", GOOD, "a.jsonl.gz cannot be read from its beginning: Not a gz", id="no gzip"
        ),
        pytest.param("a.json", b'[\n"\xff"]', "a.json line 2: not valid UTF-8 (byte 0xff", id="Latin array"),
        pytest.param("a.json", b'[{"text":"a"},\n{', "a.json line 2: not valid JSON (", id="a broken array"),
        pytest.param(
            "a.json", b'[{"text":"a"}, 3]', "a.json item 2: not an object but a number", id="a number"
        ),
        pytest.param(
            "a.csv", b"id,text\n1,a\n\n2\n", "a.csv line 4: 1 values for 2 columns", id="a short row"
        ),
        pytest.param(
            "a.csv", b'text,b\n"a\nb",1\n1,2,3\n', "a.csv line 4: 3 values for 2 columns", id="a long row"
        ),
        pytest.param(
            "a.csv", b'text\na\n"b\nc\n', "a.csv line 3: not valid CSV (unexpected end", id="an open quote"
        ),
        pytest.param(
            "a.csv", b"text\nb\n\xe9\n", "a.csv line 3: not valid UTF-8 (byte 0xe9, col", id="Latin-1"
        ),
        pytest.param(
            "a.csv", b"text,text\n", "a.csv line 1: two columns are called 'text'", id="a name twice"
        ),
        pytest.param("a.csv", b"text,\n", "a.csv line 1: column 2 has no name", id="no name"),
        pytest.param(
            "a.parquet", parquet(RECORDS)[:-9], "a.parquet cannot be read from its b", id="cut Parquet"
        ),
        pytest.param("a.parquet", b"", "a.parquet cannot be read from its beginning: ", id="no Parquet"),
        pytest.param(
            "a.parquet",
            parquet([{"text": "a", "image": b"\x89PNG"}]),
            "a.parquet row 1: Type is not JSON serializable: bytes; leave that field out, or give a URL",
            id="bytes",
        ),
    ],
)
def test_broken_file_is_named_with_its_line(tmp_path: Path, name: str, content: bytes, want: str) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(SourceError) as caught:
        read(tmp_path / name)

    assert str(caught.value).startswith(want)
