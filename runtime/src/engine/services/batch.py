"""The bases of batch and realtime classes, under the name that archives import."""

from extractor_runtime.sdk.batch_service import BaseBatchInferenceService
from extractor_runtime.sdk.inference_service import BaseInferenceService

__all__ = ["BaseBatchInferenceService", "BaseInferenceService"]
