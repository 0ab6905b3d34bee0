"""Kinds of content, under the name that archives import."""

from extractor_runtime.definitions import ContentCategory

__all__ = ["ContentCategory"]
