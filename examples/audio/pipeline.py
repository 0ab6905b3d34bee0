"""The batch side: recordings to segments."""

from typing import Any

from engine.plugins.extractors.pipeline import (
    PipelineDefinition,
    RowCondition,
    StepDefinition,
    build_pipeline_steps,
)

from . import manifest
from .processors.segments import DescribeSegments, SegmentConfig


def build_steps(extractor_request: Any, **kwargs: Any) -> dict[str, Any]:
    """One step; parameters of the run are those of `SegmentConfig`."""
    parameters = extractor_request.extractor_config.parameters or {}
    step = StepDefinition(
        service_class=DescribeSegments, config=SegmentConfig(**parameters), condition=RowCondition.IS_AUDIO
    )
    pipeline = PipelineDefinition(
        name=manifest.feature_extractor_name, version=manifest.version, steps=[step]
    )
    return {"steps": build_pipeline_steps(pipeline)}
