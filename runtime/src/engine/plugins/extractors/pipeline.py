"""The pipeline objects, under the name that archives import."""

from extractor_runtime.sdk.pipeline import (
    PipelineDefinition,
    ResourceType,
    RowCondition,
    StepDefinition,
    build_pipeline_steps,
)

__all__ = ["PipelineDefinition", "ResourceType", "RowCondition", "StepDefinition", "build_pipeline_steps"]
