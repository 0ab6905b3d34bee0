"""The service container, under the name that archives import."""

from extractor_runtime.sdk.container import ServiceContainer
from extractor_runtime.sdk.container.llm import LLMRequest

__all__ = ["LLMRequest", "ServiceContainer"]
