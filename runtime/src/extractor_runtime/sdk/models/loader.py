"""The functions by which archives load models."""

from typing import Any

from extractor_runtime.sdk.models import keeper, sources


def load_hf_model(
    hf_model_id: str,
    model_class: str = "AutoModel",
    tokenizer_class: str | None = "AutoTokenizer",
    torch_dtype: Any = "float32",
) -> dict[str, Any]:
    """Return a model's ``state_dict``, ``config`` and ``tokenizer_config``; a node loads it once.

    ``hf_model_id`` is a hub's name for the model, or a folder: in the archive, if the path is relative.
    All processes read the same memory: make a model of the tensors, and do not write into them. Raises
    ModelError.
    """
    loaded: dict[str, Any] = keeper.load(sources.hub(hf_model_id, model_class, tokenizer_class, torch_dtype))
    return loaded


def load_hf_model_async(
    hf_model_id: str,
    model_class: str = "AutoModel",
    tokenizer_class: str | None = "AutoTokenizer",
    torch_dtype: Any = "float32",
) -> Any:
    """Start loading, and return a Ray ObjectRef of what `load_hf_model` returns."""
    return keeper.request(sources.hub(hf_model_id, model_class, tokenizer_class, torch_dtype))


def is_hf_model_cached(hf_model_id: str) -> bool:
    """Tell whether the model is loaded already, on this node."""
    return keeper.is_loaded(hf_model_id)


def load_namespace_model(model_id: str) -> Any:
    """Return the weights of a model that the platform keeps; a node reads them once.

    Tensors by name: torch's, or NumPy arrays where torch is not installed. A folder in the hub's format gives
    what `load_hf_model` returns, an ``.onnx`` file its bytes, for ``onnxruntime.InferenceSession``.
    """
    return keeper.load(sources.stored(model_id))
