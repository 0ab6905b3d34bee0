"""Models in the archive, under the name that archives import."""

from extractor_runtime.sdk.models import ONNXModel, PyTorchStateDictModel, SafeTensorsModel, load_custom_model

__all__ = ["ONNXModel", "PyTorchStateDictModel", "SafeTensorsModel", "load_custom_model"]
