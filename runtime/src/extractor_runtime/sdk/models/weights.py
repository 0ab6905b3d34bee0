"""Weights as they are in files and in Ray's object store.

A `StateDict` is a dict of tensors that is pickled without copying them: in Ray's object store its bytes lie
once, and every process of the node reads them there. So nobody may write into such a tensor;
``load_state_dict`` makes a copy.
"""

import importlib
import importlib.util
import pickle
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from extractor_runtime import errors

SUFFIXES = (".safetensors", ".pt", ".pth", ".onnx")
"""The files that hold a model; of several in a folder, the first kind counts."""


class ModelError(errors.SetupError):
    """A model cannot be had: what failed, for which model, and what the author can do."""


class MissingLibraryError(ModelError, ImportError):
    """A library that reads models is not installed."""


def library(name: str) -> ModuleType:
    """Import a library that an author has to ask for. Raises MissingLibraryError, which says how."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise MissingLibraryError(
            f"{package} does not import ({error}): add {package!r} to `dependencies` in manifest.py"
        ) from error


def read_safetensors(path: Path) -> dict[str, Any]:
    """Read tensors: torch's where torch is installed, and otherwise NumPy arrays."""
    if importlib.util.find_spec("torch") is None:
        arrays: dict[str, Any] = library("safetensors.numpy").load_file(path)
        return arrays
    return StateDict(library("safetensors.torch").load_file(path))


def read_pytorch(path: Path) -> Any:
    """Read what ``torch.save`` wrote, if it is tensors and plain values: nothing in the file is run."""
    torch = library("torch")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path.name} holds more than tensors, and unpickling that would run code: "
            "save model.state_dict(), as .safetensors at best"
        ) from error
    return StateDict(state) if isinstance(state, dict) else state


class StateDict(dict[str, Any]):
    """A dict of torch tensors whose bytes are pickled out of band."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[dict[str, Any]]]:
        torch = library("torch")
        arrays: dict[tuple[int, int], np.ndarray[Any, Any]] = {}
        packed = {}
        for name, value in self.items():
            if isinstance(value, torch.Tensor):
                flat = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
                # Tied weights are one array under two names, which pickle keeps as one.
                flat = arrays.setdefault((flat.ctypes.data, flat.size), flat)
                packed[name] = _Packed(flat, str(value.dtype).removeprefix("torch."), tuple(value.shape))
            else:
                packed[name] = value
        return _unpack, (packed,)


class _Packed(NamedTuple):
    """A tensor's bytes. NumPy knows no bfloat16, so all dtypes go as bytes."""

    flat: np.ndarray[Any, Any]
    dtype: str
    shape: tuple[int, ...]


class _Memory:
    """The memory of an array, said to be writable.

    torch has no read-only tensors: it would warn in the author's log about each of ours.
    """

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self._array = array
        self.__array_interface__ = array.__array_interface__ | {"data": (array.ctypes.data, False)}


def _unpack(packed: dict[str, Any]) -> StateDict:
    torch = library("torch")
    return StateDict(
        (name, _tensor(torch, value) if isinstance(value, _Packed) else value)
        for name, value in packed.items()
    )


def _tensor(torch: ModuleType, packed: _Packed) -> Any:
    flat = torch.from_numpy(np.asarray(_Memory(packed.flat)))
    return flat.view(getattr(torch, packed.dtype)).reshape(packed.shape)
