"""The contract's columns in, vectors and documents out."""

from pathlib import Path

import pyarrow as pa
import pytest

from extractor_runtime.batch import rows
from support import runs


def test_a_source_becomes_the_ten_columns(tmp_path: Path) -> None:
    config = runs.make_config(runs.make_tree(tmp_path / "tree", {}), tmp_path)

    [row] = rows.contract_table(runs.make_objects({"a": "hello"}), config).to_pylist()

    assert row == {
        "data": "hello",
        "document_id": "doc_" + row["document_id"][4:],
        "object_id": "a",
        "blob_id": "a",
        "blob_property": "text",
        "blob_type": "text",
        "collection_id": "default",
        "feature_extractor_id": "probe_1_0_0",
        "mime_type": "text/plain",
        "size_bytes": 0,
        rows.FIELDS: None,
    }


@pytest.mark.parametrize(
    ("mappings", "extra", "want"),
    [
        pytest.param({"text": "text"}, {}, {"text": "hello"}, id="a mapped name is an alias of data"),
        pytest.param({"title": "headline"}, {"title": "news"}, {"title": "news"}, id="or a field of its own"),
        pytest.param({"data": "body"}, {}, {"data": "hello"}, id="but never replaces a column"),
    ],
)
def test_authors_read_columns_by_their_mapped_names(
    tmp_path: Path, mappings: dict[str, str], extra: dict[str, str], want: dict[str, str]
) -> None:
    tree = runs.make_tree(tmp_path / "tree", {})
    config = runs.make_config(tree, tmp_path, manifest=runs.make_manifest(input_mappings=mappings))
    objects = runs.make_objects({"a": "hello"})
    for name, value in extra.items():
        objects = objects.append_column(name, pa.array([value]))

    [row] = rows.contract_table(objects, config).to_pylist()

    assert want.items() <= row.items()


def test_a_binary_object_has_its_url_as_source_url_too(tmp_path: Path) -> None:
    config = runs.make_config(runs.make_tree(tmp_path / "tree", {}), tmp_path)
    objects = runs.make_objects({"a": "s3://bucket/a.png", "b": "words"})
    objects = objects.set_column(2, "blob_type", pa.array(["image", "text"]))

    table = rows.contract_table(objects, config)

    assert table.column("source_url").to_pylist() == ["s3://bucket/a.png", None]
