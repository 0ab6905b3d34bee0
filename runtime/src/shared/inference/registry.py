"""Built-in model services by name, under the name that archives import."""

from extractor_runtime.sdk.unavailable import get_batch_service

__all__ = ["get_batch_service"]
