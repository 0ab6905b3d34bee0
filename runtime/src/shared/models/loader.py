"""Weights that the platform keeps, under the name that archives import."""

from extractor_runtime.sdk.models import load_namespace_model

__all__ = ["load_namespace_model"]
