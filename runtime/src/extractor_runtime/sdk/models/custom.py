"""Models that lie in the archive, by path.

The wrappers have the names and methods of the SDK's, so that code written against it runs here.
"""

import os
from collections.abc import KeysView, Mapping
from pathlib import Path
from typing import Any

from extractor_runtime.sdk.models import sources, weights


def load_custom_model(model_path: str | os.PathLike[str]) -> Any:
    """Load a ``.safetensors``, ``.pt``, ``.pth`` or ``.onnx`` file, in the archive if the path is relative.

    A ``.pt`` file is read as tensors and plain values, nothing in it is run. Raises FileNotFoundError,
    ValueError for another kind of file, MissingLibraryError (an ImportError) where its library is missing.
    """
    path = sources.in_archive(model_path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no model file {path}, in the archive or elsewhere")
    match path.suffix.lower():
        case ".safetensors":
            return SafeTensorsModel(weights.read_safetensors(path), path)
        case ".pt" | ".pth":
            state = weights.read_pytorch(path)
            return PyTorchStateDictModel(state, path) if isinstance(state, dict) else state
        case ".onnx":
            session = weights.library("onnxruntime").InferenceSession(path)
            return ONNXModel(session, path)
    raise ValueError(f"{path.name} is no model file: expected {', '.join(weights.SUFFIXES)}")


class SafeTensorsModel:
    """Tensors by name."""

    def __init__(self, tensors: dict[str, Any], path: Path) -> None:
        self.tensors = tensors
        self.path = path

    def __repr__(self) -> str:
        return f"SafeTensorsModel(path={self.path}, tensors={len(self.tensors)})"

    def get_tensor(self, name: str) -> Any:
        """Return one tensor. Raises KeyError."""
        return _named(self.tensors, name, self.path)

    def keys(self) -> KeysView[str]:
        """Return the names of the tensors."""
        return self.tensors.keys()


class PyTorchStateDictModel:
    """Parameters by name."""

    def __init__(self, state_dict: dict[str, Any], path: Path) -> None:
        self.state_dict = state_dict
        self.path = path

    def __repr__(self) -> str:
        return f"PyTorchStateDictModel(path={self.path}, params={len(self.state_dict)})"

    def get_param(self, name: str) -> Any:
        """Return one parameter. Raises KeyError."""
        return _named(self.state_dict, name, self.path)

    def keys(self) -> KeysView[str]:
        """Return the names of the parameters."""
        return self.state_dict.keys()


class ONNXModel:
    """A session of ONNX Runtime."""

    def __init__(self, session: Any, path: Path) -> None:
        self.session = session
        self.path = path

    def __repr__(self) -> str:
        return f"ONNXModel(path={self.path}, inputs={self.input_names}, outputs={self.output_names})"

    def run(self, inputs: Mapping[str, Any]) -> list[Any]:
        """Compute the outputs for arrays by the names of the inputs."""
        outputs: list[Any] = self.session.run(self.output_names, dict(inputs))
        return outputs

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs."""
        return [one.name for one in self.session.get_inputs()]

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs."""
        return [one.name for one in self.session.get_outputs()]


def _named(tensors: Mapping[str, Any], name: str, path: Path) -> Any:
    if name not in tensors:
        there = ", ".join(sorted(map(str, tensors))[:20])
        raise KeyError(f"{path.name} has no {name!r}; it has {there}")
    return tensors[name]
