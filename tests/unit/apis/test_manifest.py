"""One model of a manifest, whatever dialect its names were written in."""

from typing import Any

import pytest
from pydantic import ValidationError

from extractor_apis.manifest import CostRate, CostUnit, Manifest, ServeConfig, VectorFeature

EMBEDDING = {
    "feature_type": "embedding",
    "feature_name": "e",
    "embedding_dim": 8,
    "distance_metric": "dot",
}
EVERYTHING: dict[str, Any] = {
    "feature_extractor_name": "text_embed",
    "version": "v2.1",
    "description": "Embeds",
    "metadata": {
        "name": "ignored",
        "category": "text",
        "icon": "type",
        "author": "me",
        "inference_type": "embedding",
    },
    "features": [EMBEDDING, {"name": "label", "type": "text"}],
    "input_schema": {"type": "object", "properties": {"text": {}}, "required": ["text"]},
    "output_schema": {"label": {"type": "string"}},
    "parameter_schema": {"type": "object", "properties": {"threshold": {"default": 0.5}}},
    "supported_input_types": ["text", "pdf"],
    "input_mappings": {"text": "body"},
    "dependencies": ["numpy>=2"],
    "compute_profile": {"resource_type": "gpu", "batch_size": 8, "gpu_memory_gb": None, "of_later": 1},
    "serve_config": {"num_replicas": 2, "target_ongoing_requests": 4, "memory_gb": 1.5},
    "feature_uri": "mixpeek://text_embed@2.1.0/e",
    "cost_rates": [{"unit": "1k_tokens", "credits_per_unit": 2}],
    "container_image": "registry.example/image:1.0",
    "required_vector_indexes": [{"name": "e"}],
    "tier": 2,
    "tier_label": "MODERATE",
    "example_input": {"text": "x"},
    "example_output": {"e": [0.1, "…"]},
    "MY_OWN": 1,
}


def test_every_field_is_kept() -> None:
    read = Manifest.from_names(EVERYTHING)

    assert read.model_dump(mode="json", exclude_unset=True) == {
        "name": "text_embed",
        "version": "2.1.0",
        "description": "Embeds",
        "category": "text",
        "icon": "type",
        "author": "me",
        "inference_type": "embedding",
        "vectors": [{"name": "e", "dimensions": 8, "distance": "dot"}],
        "attributes": [{"name": "label", "type": "text"}],
        "input_schema": EVERYTHING["input_schema"],
        "output_schema": EVERYTHING["output_schema"],
        "parameter_schema": EVERYTHING["parameter_schema"],
        "supported_input_types": ["text", "pdf"],
        "input_mappings": {"text": "body"},
        "dependencies": ["numpy>=2"],
        "compute_profile": {"resource_type": "gpu", "batch_size": 8, "gpu_memory_gb": None},
        "serve_config": {"num_replicas": 2, "target_ongoing_requests": 4.0, "memory_gb": 1.5},
        "feature_uri": "mixpeek://text_embed@2.1.0/e",
        "cost_rates": [{"unit": "1k_tokens", "credits_per_unit": 2.0}],
        "container_image": "registry.example/image:1.0",
        "required_vector_indexes": [{"name": "e"}],
        "tier": 2,
        "tier_label": "MODERATE",
        "example_input": {"text": "x"},
        "example_output": {"e": [0.1, "…"]},
    }


@pytest.mark.parametrize(
    ("names", "want"),
    [
        ({"feature_extractor_name": "aa", "metadata": {"feature_extractor_name": "bb", "name": "cc"}}, "aa"),
        ({"metadata": {"feature_extractor_name": "bb", "name": "cc"}}, "bb"),
        ({"metadata": {"name": "cc"}}, "cc"),
    ],
    ids=["flat", "metadata", "the first CLI's metadata"],
)
def test_the_name_is_the_first_that_is_there(names: dict[str, Any], want: str) -> None:
    assert Manifest.from_names({"version": "v1", **names}).name == want


@pytest.mark.parametrize(
    ("written", "want"),
    [("v1", "1.0.0"), ("1.0", "1.0.0"), ("v2.1", "2.1.0"), ("1.0.0", "1.0.0"), ("v1.02.3", "1.2.3")],
)
def test_versions_are_normalised(written: str, want: str) -> None:
    assert Manifest.from_names({"feature_extractor_name": "xx", "version": written}).version == want


@pytest.mark.parametrize(
    ("feature", "want"),
    [
        (EMBEDDING, VectorFeature(name="e", dimensions=8, distance="dot")),
        (
            {"name": "e", "type": "vector", "dimensions": 8, "distance": "euclidean"},
            VectorFeature(name="e", dimensions=8, distance="euclid"),
        ),
    ],
    ids=["documented", "the SDK's template"],
)
def test_a_vector_is_read_in_either_dialect(feature: dict[str, Any], want: VectorFeature) -> None:
    names = {"feature_extractor_name": "xx", "version": "1.0.0", "features": [feature]}

    assert Manifest.from_names(names).vectors == (want,)


TEXT = {"type": "object", "properties": {"title": {}, "text": {}}, "required": ["text"]}


@pytest.mark.parametrize(
    ("fields", "want"),
    [
        ({"input_mappings": {"text": "body"}, "input_schema": TEXT}, ("text",)),
        ({"input_schema": TEXT}, ("text",)),
        ({"input_schema": {"type": "object", "properties": {"image_url": {}}}}, ("image_url",)),
        ({"input_schema": {"text": {"type": "string"}}}, ("text",)),
        ({}, ()),
    ],
    ids=["mapped", "required by the schema", "in the schema", "in a plain dict", "none"],
)
def test_an_object_is_also_read_by_the_names_of_its_input(
    fields: dict[str, Any], want: tuple[str, ...]
) -> None:
    assert (
        Manifest.from_names({"feature_extractor_name": "xx", "version": "1.0.0", **fields}).input_names
        == want
    )


def test_fewer_replicas_at_most_than_at_least_are_refused() -> None:
    with pytest.raises(ValidationError, match="min_replicas 3 is above max_replicas 2"):
        ServeConfig(min_replicas=3, max_replicas=2)


def test_a_cost_rate_has_a_unit_of_the_platform() -> None:
    assert CostRate.model_validate({"unit": "page", "credits_per_unit": 1}).unit is CostUnit.PAGE
