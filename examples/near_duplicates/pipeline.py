"""The batch side, and the only one: statistics and a fingerprint of every text."""

from typing import Any

from engine.plugins.extractors.pipeline import (
    PipelineDefinition,
    RowCondition,
    StepDefinition,
    build_pipeline_steps,
)

from . import manifest
from .processors.fingerprint import FingerprintTexts


def build_steps(extractor_request: Any, **kwargs: Any) -> dict[str, Any]:
    """One step; it has no parameters."""
    step = StepDefinition(service_class=FingerprintTexts, condition=RowCondition.IS_TEXT)
    pipeline = PipelineDefinition(
        name=manifest.feature_extractor_name, version=manifest.version, steps=[step]
    )
    return {"steps": build_pipeline_steps(pipeline)}
