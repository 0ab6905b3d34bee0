"""The service container, under the name that archives import."""

from extractor_runtime.container import ServiceContainer
from extractor_runtime.container.llm import LLMRequest

__all__ = ["LLMRequest", "ServiceContainer"]
