"""The batch side: pictures to vectors."""

from typing import Any

from engine.plugins.extractors.pipeline import (
    PipelineDefinition,
    RowCondition,
    StepDefinition,
    build_pipeline_steps,
)

from . import manifest
from .processors.describe import DescribeImages


def build_steps(extractor_request: Any, **kwargs: Any) -> dict[str, Any]:
    """One step makes both vectors; it has no parameters."""
    step = StepDefinition(service_class=DescribeImages, condition=RowCondition.IS_IMAGE)
    pipeline = PipelineDefinition(
        name=manifest.feature_extractor_name, version=manifest.version, steps=[step]
    )
    return {"steps": build_pipeline_steps(pipeline)}
