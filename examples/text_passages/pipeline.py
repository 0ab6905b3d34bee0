"""The batch side: texts to passages to vectors."""

from typing import Any

from engine.plugins.extractors.pipeline import (
    PipelineDefinition,
    ResourceType,
    RowCondition,
    StepDefinition,
    build_pipeline_steps,
)

from . import manifest
from .processors.embed import EmbedPassages
from .processors.passages import PassageConfig, SplitPassages


def build_steps(extractor_request: Any, **kwargs: Any) -> dict[str, Any]:
    """Split, then embed; parameters of the run are those of `PassageConfig`."""
    parameters = extractor_request.extractor_config.parameters or {}
    split = StepDefinition(
        service_class=SplitPassages,
        resource_type=ResourceType.CPU,
        config=PassageConfig(**parameters),
        condition=RowCondition.IS_TEXT,
        batch_size=1,  # A text may be a book: its passages are batch enough.
    )
    embed = StepDefinition(
        service_class=EmbedPassages, resource_type=ResourceType.CPU, condition=RowCondition.IS_TEXT
    )
    pipeline = PipelineDefinition(
        name=manifest.feature_extractor_name, version=manifest.version, steps=[split, embed]
    )
    return {"steps": build_pipeline_steps(pipeline)}
