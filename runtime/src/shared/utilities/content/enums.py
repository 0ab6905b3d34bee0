"""Kinds of content, under the name that archives import."""

from extractor_runtime.sdk.definitions import ContentCategory

__all__ = ["ContentCategory"]
