"""The realtime base class, under the name that archives import."""

from extractor_runtime.sdk.inference_service import BaseInferenceService, ServeDeploymentConfig

__all__ = ["BaseInferenceService", "ServeDeploymentConfig"]
