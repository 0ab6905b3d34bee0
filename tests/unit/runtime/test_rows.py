"""The contract's columns in, vectors and documents out."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from extractor_apis.manifest import VectorFeature
from extractor_runtime import rows
from support import runs

FEATURE = VectorFeature(name="vector", dimensions=2)


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


@pytest.mark.parametrize(
    ("values", "want_bad"),
    [
        pytest.param([[1, 2], (3, 4), np.ones(2)], {}, id="lists, tuples and arrays"),
        pytest.param(np.ones((3, 2)).tolist(), {}, id="a whole matrix"),
        pytest.param(
            [[1, 2], None, float("nan")], {1: "vector is missing", 2: "vector is missing"}, id="missing"
        ),
        pytest.param(
            [[1, 2], [1, 2, 3]], {1: "vector has shape (3,), the manifest declares (2,)"}, id="too long"
        ),
        pytest.param([[1, float("inf")], [1, 2]], {0: "vector contains NaN or infinity"}, id="infinite"),
        pytest.param([[1, "x"], [1, 2]], {0: "vector is no vector of numbers but list"}, id="text within"),
        pytest.param([0.5, [1, 2]], {0: "vector has shape (), the manifest declares (2,)"}, id="a number"),
    ],
)
def test_vectors_become_one_matrix_and_what_is_wrong_with_the_others(
    values: list[Any], want_bad: dict[int, str]
) -> None:
    matrix, bad = rows.vector_matrix(values, FEATURE)

    good = [row for row in range(len(values)) if row not in want_bad]
    assert bad == want_bad
    assert (matrix.shape, matrix.dtype) == ((len(values), 2), np.float32)
    assert matrix[good].tolist() == [list(map(float, values[row])) for row in good]


@pytest.mark.parametrize(
    ("schema", "attributes", "want"),
    [
        pytest.param(None, [], None, id="nothing declared: every column is kept"),
        pytest.param({"words": {"type": "integer"}}, [], {"words"}, id="flat"),
        pytest.param({"type": "object", "properties": {"words": {}}}, [], {"words"}, id="a JSON schema"),
        pytest.param({"type": "object"}, [], None, id="a JSON schema that names nothing"),
        pytest.param(
            {"words": {}}, [{"feature_name": "label"}], {"words", "label"}, id="and further features"
        ),
    ],
)
def test_declared_attributes_come_from_schema_and_features(
    schema: dict[str, Any] | None, attributes: list[dict[str, Any]], want: set[str] | None
) -> None:
    manifest = runs.make_manifest(output_schema=schema, attributes=attributes)

    assert rows.declared_attributes(manifest) == want


def test_rows_of_an_object_are_numbered_in_their_order() -> None:
    assert rows.count_within(["a", "b", "a", "a", "b"]) == [0, 0, 1, 2, 1]
