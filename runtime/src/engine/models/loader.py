"""Loading of models once on each node, under the name that archives import."""

from extractor_runtime.sdk.models import (
    is_hf_model_cached,
    load_hf_model,
    load_hf_model_async,
    load_namespace_model,
)

__all__ = ["is_hf_model_cached", "load_hf_model", "load_hf_model_async", "load_namespace_model"]
