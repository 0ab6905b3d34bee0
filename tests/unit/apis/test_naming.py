"""Names are functions of what they name."""

import pytest

from extractor_apis import naming
from extractor_apis.naming import FeatureURI


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("v1", "1.0.0"),
        ("1.0", "1.0.0"),
        ("v2.1", "2.1.0"),
        ("1.2.3", "1.2.3"),
        ("01.2.3", "1.2.3"),
        ("7", "7.0.0"),
    ],
)
def test_versions_are_spelt_with_three_numbers(text: str, want: str) -> None:
    assert naming.normalize_version(text) == want


@pytest.mark.parametrize(
    "text", ["", "v", "latest", "1.2.3.4", "1.2.x", "1.2.3-rc1", "\u0661.0.0", "1.0.0\n"]
)
def test_what_is_no_version_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"write MAJOR\.MINOR\.PATCH"):
        naming.normalize_version(text)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("mixpeek://probe@1.0.0/vector", FeatureURI("probe", "1.0.0", "vector")),
        ("mixpeek://probe@v2/vector", FeatureURI("probe", "2.0.0", "vector")),
        ("mixpeek://probe/vector", FeatureURI("probe", None, "vector")),
        ("mixpeek://probe@1.0.0", FeatureURI("probe", "1.0.0", None)),
    ],
)
def test_a_feature_uri_is_read_and_written(text: str, want: FeatureURI) -> None:
    assert FeatureURI.parse(text) == want
    assert FeatureURI.parse(str(want)) == want


@pytest.mark.parametrize(
    "text", ["probe@1.0.0/vector", "mixpeek://", "mixpeek://a b", "mixpeek://p@1.0.0/v/w", "http://p"]
)
def test_what_is_no_feature_uri_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"mixpeek://extractor@1\.0\.0/feature"):
        FeatureURI.parse(text)


def test_a_version_over_a_collection_is_one_table() -> None:
    assert naming.table_name("films", "probe", "1.20.3") == "films__probe__1_20_3"


def test_a_document_has_the_same_id_on_every_run_and_every_machine() -> None:
    assert naming.document_id("films", "a", "probe", "1.0.0", 0) == "doc_d465d0a9b8acea0f3c630832"


def test_no_two_sequences_of_strings_hash_alike() -> None:
    assert naming.stable_hash("ab", "c") != naming.stable_hash("a", "bc")
