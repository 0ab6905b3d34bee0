"""The realtime base class, under the name that archives import."""

from extractor_runtime.service import BaseInferenceService, ServeDeploymentConfig

__all__ = ["BaseInferenceService", "ServeDeploymentConfig"]
