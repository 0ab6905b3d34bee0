"""The batch side: videos to scenes."""

from typing import Any

from engine.plugins.extractors.pipeline import (
    PipelineDefinition,
    RowCondition,
    StepDefinition,
    build_pipeline_steps,
)

from . import manifest
from .processors.scenes import FindScenes, SceneConfig


def build_steps(extractor_request: Any, **kwargs: Any) -> dict[str, Any]:
    """One step; parameters of the run are those of `SceneConfig`."""
    parameters = extractor_request.extractor_config.parameters or {}
    step = StepDefinition(
        service_class=FindScenes, config=SceneConfig(**parameters), condition=RowCondition.IS_VIDEO
    )
    pipeline = PipelineDefinition(
        name=manifest.feature_extractor_name, version=manifest.version, steps=[step]
    )
    return {"steps": build_pipeline_steps(pipeline)}
