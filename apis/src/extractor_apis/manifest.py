"""The manifest of an extractor, whatever dialect it was written in.

Authors write ``manifest.py`` in one of three dialects (flat names, ``metadata`` with pydantic classes,
``metadata`` with ``name``). The sandbox reads its literals without running it; `Manifest.from_names` makes
this one model of them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, JsonValue, model_validator

from extractor_apis import naming
from extractor_apis.meta import Struct

JsonObject = dict[str, JsonValue]


class Distance(StrEnum):
    """How two vectors of a feature compare."""

    COSINE = "cosine"
    EUCLID = "euclid"
    DOT = "dot"


class VectorFeature(Struct):
    """A vector that the extractor writes into the column of the same name."""

    name: str = Field(pattern=naming.FEATURE_PATTERN)
    dimensions: int = Field(ge=1, le=65536, strict=True)
    distance: Distance = Distance.COSINE


class ComputeProfile(Struct):
    """What one batch actor needs."""

    model_config = ConfigDict(extra="ignore")

    resource_type: Literal["cpu", "gpu", "api"] = "cpu"
    batch_size: int = Field(default=64, ge=1, le=100_000)
    """Rows handed to the author's processor at once."""
    max_concurrency: int = Field(default=2, ge=1, le=1000)
    """Actors at most, and calls at a time for ``api``."""
    actor_memory_gb: float = Field(default=2.0, gt=0)
    gpu_memory_gb: float | None = Field(default=None, gt=0)


class ServeConfig(Struct):
    """What the realtime endpoint needs; takes precedence over the compute profile."""

    model_config = ConfigDict(extra="ignore")

    num_replicas: int | None = Field(default=None, ge=1)
    min_replicas: int | None = Field(default=None, ge=0)
    max_replicas: int | None = Field(default=None, ge=1)
    target_ongoing_requests: float | None = Field(default=None, gt=0)
    num_cpus: float | None = Field(default=None, ge=0)
    num_gpus: float | None = Field(default=None, ge=0)
    memory_gb: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        least, most = self.min_replicas, self.max_replicas
        if least is not None and most is not None and least > most:
            raise ValueError(f"min_replicas {least} is above max_replicas {most}")
        return self


class CostUnit(StrEnum):
    """What is counted, to be paid for."""

    MINUTE = "minute"
    IMAGE = "image"
    TOKENS_1K = "1k_tokens"
    PAGE = "page"
    FACE = "face"
    EXTRACTION = "extraction"


class CostRate(Struct):
    """What one unit of work costs."""

    model_config = ConfigDict(extra="ignore")

    unit: CostUnit
    credits_per_unit: float = Field(ge=0)
    description: str | None = None


class Manifest(Struct):
    """Everything that an extractor says of itself."""

    name: str = Field(pattern=naming.EXTRACTOR_PATTERN)
    version: str = Field(pattern=naming.VERSION_PATTERN)
    description: str = ""
    category: str | None = None
    icon: str | None = None
    author: str | None = None
    inference_type: str | None = None
    vectors: tuple[VectorFeature, ...] = ()
    """The declared vector features, in the order of the manifest."""
    attributes: tuple[JsonObject, ...] = ()
    """Declared features that are no vectors, as written."""
    input_schema: JsonObject | None = None
    output_schema: JsonObject | None = None
    parameter_schema: JsonObject | None = None
    supported_input_types: tuple[str, ...] = ()
    input_mappings: dict[str, str] = Field(default_factory=dict)
    """Input fields by name, and where the source has them."""
    dependencies: tuple[str, ...] = ()
    compute_profile: ComputeProfile = ComputeProfile()
    serve_config: ServeConfig | None = None
    feature_uri: str | None = None
    cost_rates: tuple[CostRate, ...] = ()
    container_image: str | None = None
    required_vector_indexes: tuple[JsonObject, ...] = ()
    tier: int | None = None
    tier_label: str | None = None
    example_input: JsonValue = None
    example_output: JsonValue = None

    @property
    def uri(self) -> naming.FeatureURI:
        """The version's URI, without a feature."""
        return naming.FeatureURI(self.name, self.version)

    def feature(self, name: str) -> VectorFeature | None:
        """Find a declared vector feature by name."""
        return next((feature for feature in self.vectors if feature.name == name), None)

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names by which the author may read an object beside ``data``: columns are aliased, never renamed.

        Those of ``input_mappings``; without any, the first field that the input schema requires.
        """
        if self.input_mappings:
            return tuple(self.input_mappings)
        fields = schema_fields(self.input_schema or {})
        required = (self.input_schema or {}).get("required")
        candidates = required if isinstance(required, list) and required else list(fields)
        return tuple(str(name) for name in candidates[:1])

    @property
    def parameter_defaults(self) -> JsonObject:
        """Defaults that the parameter schema declares, by parameter."""
        fields = schema_fields(self.parameter_schema or {})
        return {
            name: field["default"]
            for name, field in fields.items()
            if isinstance(field, dict) and "default" in field
        }

    @classmethod
    def from_names(cls, names: Mapping[str, Any]) -> "Manifest":
        """Make one model of the top-level names of a ``manifest.py`` (dialects A, B and C).

        Pydantic classes are expected as their JSON schema. A flat name wins over the same key of
        ``metadata``. Raises ValueError (pydantic's) when a field does not fit; `sandbox` turns that into
        findings with lines.
        """
        metadata = names.get("metadata")
        known = {**metadata, **names} if isinstance(metadata, dict) else dict(names)
        features = known.get("features") or ()
        values: dict[str, Any] = {
            "name": known.get("feature_extractor_name", known.get("name")),
            "version": naming.normalize_version(str(known.get("version"))),
            "vectors": [_vector(feature) for feature in features if is_vector(feature)],
            "attributes": [feature for feature in features if not is_vector(feature)],
        }
        for field in cls.model_fields.keys() - values.keys():
            if known.get(field) is not None:
                values[field] = known[field]
        return cls.model_validate(values)


def schema_fields(schema: JsonObject) -> JsonObject:
    """Give a schema's fields by name: a JSON schema's properties, or the plain dict that authors write."""
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, dict):
        return properties if isinstance(properties, dict) else {}
    return schema


def is_vector(feature: Mapping[str, Any]) -> bool:
    """Tell whether an entry of ``features`` declares a vector, in either dialect."""
    return feature.get("feature_type") == "embedding" or feature.get("type") == "vector"


def _vector(feature: Mapping[str, Any]) -> dict[str, Any]:
    if feature.get("feature_type") == "embedding":
        return {
            "name": feature["feature_name"],
            "dimensions": feature["embedding_dim"],
            "distance": feature["distance_metric"],
        }
    # The dialect that the SDK's own template writes, and that the hosted platform silently ignores.
    distance = "euclid" if feature["distance"] == "euclidean" else feature["distance"]
    return {"name": feature["name"], "dimensions": feature["dimensions"], "distance": distance}
