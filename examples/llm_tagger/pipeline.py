"""The batch side: texts to tags."""

from typing import Any

from engine.plugins.extractors.pipeline import (
    PipelineDefinition,
    ResourceType,
    RowCondition,
    StepDefinition,
    build_pipeline_steps,
)

from . import manifest
from .processors.tags import TagConfig, TagTexts


def build_steps(extractor_request: Any, container: Any = None, **kwargs: Any) -> dict[str, Any]:
    """One step; parameters of the run are those of `TagConfig`."""
    parameters = extractor_request.extractor_config.parameters or {}
    step = StepDefinition(
        service_class=TagTexts,
        resource_type=ResourceType.API,
        config=TagConfig(container.llm, **parameters),
        condition=RowCondition.IS_TEXT,
    )
    pipeline = PipelineDefinition(
        name=manifest.feature_extractor_name, version=manifest.version, steps=[step]
    )
    return {"steps": build_pipeline_steps(pipeline)}
