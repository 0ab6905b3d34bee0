"""Models in the archive, under the name that archives import."""

from extractor_runtime.sdk.models import load_custom_model

__all__ = ["load_custom_model"]
