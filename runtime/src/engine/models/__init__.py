"""Loading of models, under the name that archives import."""

from extractor_runtime.sdk.models import (
    LazyModelMixin,
    is_hf_model_cached,
    lazy_model,
    load_hf_model,
    load_hf_model_async,
    load_namespace_model,
)

__all__ = [
    "LazyModelMixin",
    "is_hf_model_cached",
    "lazy_model",
    "load_hf_model",
    "load_hf_model_async",
    "load_namespace_model",
]
