"""The pipeline objects that authors build: steps, the rows they want, the resources they need.

Re-exported as ``engine.plugins.extractors.pipeline``, the name that archives import.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar


class ResourceType(StrEnum):
    """What a step computes with."""

    CPU = "cpu"
    GPU = "gpu"
    API = "api"


class RowCondition(StrEnum):
    """The rows a step wants, by mime type; the others pass it untouched."""

    ALWAYS = "always"
    IS_TEXT = "is_text"
    IS_IMAGE = "is_image"
    IS_VIDEO = "is_video"
    IS_AUDIO = "is_audio"
    IS_PDF = "is_pdf"
    IS_VISUAL = "is_visual"
    IS_VIDEO_OR_AUDIO = "is_video_or_audio"

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Beginnings of the mime types that match."""
        return _PREFIXES[self]

    def matches(self, mime_type: object) -> bool:
        """Tell whether a row of that mime type is wanted."""
        mime_type = mime_type.lower() if isinstance(mime_type, str) else ""
        return self is RowCondition.ALWAYS or mime_type.startswith(self.prefixes)


_PREFIXES: dict[RowCondition, tuple[str, ...]] = {
    RowCondition.ALWAYS: ("",),
    RowCondition.IS_TEXT: ("text/",),
    RowCondition.IS_IMAGE: ("image/",),
    RowCondition.IS_VIDEO: ("video/",),
    RowCondition.IS_AUDIO: ("audio/",),
    RowCondition.IS_PDF: ("application/pdf",),
    RowCondition.IS_VISUAL: ("video/", "image/"),
    RowCondition.IS_VIDEO_OR_AUDIO: ("video/", "audio/"),
}


@dataclass(frozen=True)
class StepDefinition:
    """One step: a class that is created once in each actor and called with each batch.

    Names of resources and conditions may be written as plain text, in any case.
    """

    service_class: Any
    resource_type: ResourceType = ResourceType.CPU
    config: Any = None
    condition: RowCondition = RowCondition.ALWAYS
    enabled: bool = True
    concurrency: int | None = None
    """Actors at most; the compute profile's by default."""
    batch_size: int | None = None
    """Rows at once; the compute profile's by default."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "resource_type", _member(ResourceType, self.resource_type, "resource_type"))
        object.__setattr__(self, "condition", _member(RowCondition, self.condition, "condition"))
        for name in ("concurrency", "batch_size"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(
                    f"StepDefinition({name}={value!r}): write a whole number from 1, or leave it to the "
                    "manifest's compute_profile"
                )


@dataclass(frozen=True)
class PipelineDefinition:
    """A named sequence of steps."""

    name: str
    version: str
    steps: Sequence[StepDefinition] = field(default_factory=list)


def build_pipeline_steps(
    pipeline: PipelineDefinition, dataset_size: int | None = None
) -> list[StepDefinition]:
    """Return the steps that are enabled, in order; ``dataset_size`` is accepted as the contract has it."""
    return [step for step in pipeline.steps if step.enabled]


_Member = TypeVar("_Member", bound=StrEnum)


def _member(kind: type[_Member], value: Any, name: str) -> _Member:
    """Read an enum member from itself, from None (the default), or from its name in any case."""
    if value is None:
        return next(iter(kind))
    # Compared as text: an author's own copy of the enum means the same.
    text = str(getattr(value, "value", value)).lower().rpartition(".")[2]
    try:
        return kind(text)
    except ValueError:
        raise ValueError(
            f"StepDefinition({name}={value!r}): write one of {', '.join(map(str, kind))}"
        ) from None
