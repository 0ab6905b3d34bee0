"""Models of authors: loaded when they are first used, and once on each node however many actors ask.

None of the libraries that read models (transformers, torch, safetensors, onnxruntime) is the runtime's own.
An author names what it needs in ``dependencies``, and is told what is missing when a model is asked for.
"""

from extractor_runtime.sdk.models.custom import (
    ONNXModel,
    PyTorchStateDictModel,
    SafeTensorsModel,
    load_custom_model,
)
from extractor_runtime.sdk.models.lazy import LazyModelMixin, lazy_model
from extractor_runtime.sdk.models.loader import (
    is_hf_model_cached,
    load_hf_model,
    load_hf_model_async,
    load_namespace_model,
)
from extractor_runtime.sdk.models.weights import ModelError

__all__ = [
    "LazyModelMixin",
    "ModelError",
    "ONNXModel",
    "PyTorchStateDictModel",
    "SafeTensorsModel",
    "is_hf_model_cached",
    "lazy_model",
    "load_custom_model",
    "load_hf_model",
    "load_hf_model_async",
    "load_namespace_model",
]
