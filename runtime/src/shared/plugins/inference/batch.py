"""The base of batch classes, under the name that archives import."""

from extractor_runtime.sdk.batch_service import BaseBatchInferenceService

__all__ = ["BaseBatchInferenceService"]
