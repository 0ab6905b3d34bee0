"""Models that load when they are first used, under the name that archives import."""

from extractor_runtime.sdk.models import LazyModelMixin, lazy_model

__all__ = ["LazyModelMixin", "lazy_model"]
