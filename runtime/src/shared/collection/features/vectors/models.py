"""Vector indexes, under the name that archives import."""

from extractor_runtime.sdk.definitions import VectorIndex, VectorIndexDefinition, VectorType

__all__ = ["VectorIndex", "VectorIndexDefinition", "VectorType"]
