"""What an archive's code says of its extractor: the records that engine-style archives construct.

Nothing here reads them, since the manifest is what counts; they hold what authors put in and refuse what the
hosted platform refuses. Re-exported below ``shared.collection.features`` and ``shared.utilities.content``.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from extractor_apis.manifest import CostRate


class ContentCategory(StrEnum):
    """What an object is."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    PDF = "pdf"
    DOCUMENT = "document"
    MULTIMODAL = "multimodal"


class VectorType(StrEnum):
    """What one vector index holds."""

    DENSE = "dense"
    SPARSE = "sparse"
    MULTI_DENSE = "multi_dense"


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


_Distance = Annotated[Literal["cosine", "dot", "euclidean", "manhattan"], BeforeValidator(_lower)]


class _Record(BaseModel):
    # Engine-internal records have more fields than are public: keep what we do not know.
    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)


class VectorIndex(_Record):
    """How vectors of one output are stored."""

    name: str = ""
    """Under which they are stored; made of the service's id when it is empty."""
    description: str
    dimensions: int | None = Field(default=None, ge=1)
    type: VectorType
    distance: _Distance = "cosine"
    datatype: Literal["float32", "uint8"] = "float32"
    on_disk: bool | None = None
    supported_inputs: list[str] = Field(default_factory=list)
    inference_name: str | None = None
    inference_service_id: str | None = None
    purpose: Literal["text", "code", "image", "multimodal", "video", "audio", "sparse"] | None = None
    vector_name_override: str | None = None
    supports_multi_query: bool = False

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.type is VectorType.DENSE and self.dimensions is None:
            raise ValueError("dimensions are required for a dense vector")
        if not self.name and self.inference_service_id:
            self.name = self.inference_service_id.replace("/", "__").replace("-", "_")
        return self


class VectorIndexDefinition(_Record):
    """A vector output of an extractor."""

    name: str
    """As in feature URIs."""
    description: str = Field(min_length=10)
    type: Literal["single", "multi"]
    index: VectorIndex | list[VectorIndex]
    feature_uri: str | None = None
    display_name: str | None = None


class CostsInfo(_Record):
    """What an extractor costs."""

    tier: int = Field(ge=1, le=5)
    tier_label: str
    rates: list[CostRate] = Field(default_factory=list)


class FeatureExtractorModel(_Record):
    """Everything that an extractor says of itself, with its schemas as classes."""

    feature_extractor_name: str
    version: str
    description: str = ""
    icon: str | None = None
    input_schema: Any = None
    output_schema: Any = None
    parameter_schema: Any = None
    required_vector_indexes: list[VectorIndexDefinition] = Field(default_factory=list)
    costs: CostsInfo | None = None


class ExtractorDefinition(_Record):
    """The entry point that an engine-style ``pipeline.py`` exports; ours is found by its name instead."""

    name: str
    version: str
    extractor_function_path: Any
    requires_file_resolution: bool = False
