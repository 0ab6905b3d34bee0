"""What the last step returned becomes documents."""

from typing import Any

import pytest

from extractor_runtime.batch import output
from support import runs


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

    assert output.declared_attributes(manifest) == want


def test_rows_of_an_object_are_numbered_in_their_order() -> None:
    assert output.count_within(["a", "b", "a", "a", "b"]) == [0, 0, 1, 2, 1]
