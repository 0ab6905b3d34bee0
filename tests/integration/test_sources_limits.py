from pathlib import Path

import pytest

from extractor_runtime.sources import SourceError, formats, open_source, tables

pytestmark = pytest.mark.integration


def test_line_that_never_ends_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "a.jsonl").open("wb") as file:
        file.truncate(10 * formats.MAX_LINE)

    with pytest.raises(SourceError, match=r"a.jsonl line 1: longer than 67,108,864 bytes"):
        list(open_source(str(tmp_path / "a.jsonl"), mappings={}).read())


def test_long_texts_end_a_table_early(tmp_path: Path) -> None:
    half = b'{"text":"' + b"x" * (tables.MAX_CHARACTERS // 2) + b'"}\n'
    (tmp_path / "a.jsonl").write_bytes(half * 3)

    read = open_source(str(tmp_path / "a.jsonl"), mappings={}).read()

    assert [table.num_rows for table in read] == [2, 1]
