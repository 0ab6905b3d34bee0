"""Where models come from: a hub or a folder in its format, and the platform's own folder.

A source says where, completely, so that it can be loaded in any process of the node; equal sources are one
model.
"""

import inspect
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from extractor_apis import naming
from extractor_runtime.sdk.models import weights
from extractor_runtime.sdk.models.weights import ModelError

FOLDER_VARIABLE = "EXTRACTOR_MODELS"
"""Names the folder of the models that the platform keeps."""
_MODEL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_PACKAGE_PREFIX = naming.package_name("")
_LISTED = 20


class Source(Protocol):
    """A model that can be loaded; hashable, and picklable."""

    @property
    def name(self) -> str:
        """What the author calls the model."""

    def load(self) -> Any:
        """Read it here and now. Raises ModelError, or whatever the library that reads it raises."""


@dataclass(frozen=True)
class HubModel:
    """A model that transformers reads, from a hub, its cache or a folder."""

    name: str
    location: str
    """The hub's name for it, or a folder."""
    model_class: str
    tokenizer_class: str | None
    dtype: str | None

    def load(self) -> dict[str, Any]:
        """Return weights, configuration and where the tokenizer is, as archives expect them."""
        torch, transformers = weights.library("torch"), weights.library("transformers")
        model = _class(transformers, self.model_class).from_pretrained(self.location)
        if self.dtype is not None:
            model = model.to(_dtype(torch, self.dtype))
        tokenizer = None
        if self.tokenizer_class is not None:
            _class(transformers, self.tokenizer_class).from_pretrained(self.location)
            tokenizer = {"tokenizer_dir": self._folder(), "class": self.tokenizer_class}
        return {
            "state_dict": weights.StateDict(model.state_dict()),
            "config": model.config.to_dict(),
            "tokenizer_config": tokenizer,
            "model_class": self.model_class,
            "hf_model_id": self.name,
        }

    def _folder(self) -> str:
        if os.path.isdir(self.location):
            return self.location
        # Everything is in the hub's cache by now, whose folder of a version holds all of its files.
        file: str = weights.library("huggingface_hub").try_to_load_from_cache(self.location, "config.json")
        return os.path.dirname(file)


@dataclass(frozen=True)
class StoredModel:
    """A model that the platform keeps, as a file of weights or a folder with some."""

    name: str
    path: Path
    model_class: str
    dtype: str | None

    def load(self) -> Any:
        """Return its weights; of a folder in the hub's format, what `HubModel` returns."""
        if (self.path / "config.json").is_file():
            tokenizer = "AutoTokenizer" if (self.path / "tokenizer_config.json").is_file() else None
            return HubModel(self.name, str(self.path), self.model_class, tokenizer, self.dtype).load()
        files = [self.path] if self.path.is_file() else _weights_of(self.path)
        if not files:
            raise ModelError(
                f"the folder of model {self.name} holds no weights: expected {', '.join(weights.SUFFIXES)}"
            )
        if files[0].suffix == ".safetensors":
            first, *shards = (weights.read_safetensors(file) for file in files)
            for shard in shards:
                first.update(shard)
            return first
        if len(files) > 1:
            raise ModelError(
                f"the folder of model {self.name} holds several models ({_listing(files)}): keep one"
            )
        if files[0].suffix == ".onnx":
            return files[0].read_bytes()
        return weights.read_pytorch(files[0])


def hub(hf_model_id: str, model_class: str, tokenizer_class: str | None, dtype: object) -> HubModel:
    """Name a model of a hub, or one in a folder: the archive's, if the path is relative."""
    folder = in_archive(hf_model_id)
    if not folder.is_dir() and (folder.is_absolute() or hf_model_id.startswith(".")):
        raise ModelError(f"there is no folder {hf_model_id}, in the archive or elsewhere")
    location = str(folder.resolve()) if folder.is_dir() else hf_model_id
    return HubModel(
        hf_model_id, location, model_class, tokenizer_class, None if dtype is None else str(dtype)
    )


def stored(model_id: str, model_class: str = "AutoModel", dtype: str | None = None) -> StoredModel:
    """Find a model that the platform keeps. Raises ModelError, which lists those that there are."""
    root = os.environ.get(FOLDER_VARIABLE)
    if not root:
        raise ModelError(f"model {model_id} cannot be found: {FOLDER_VARIABLE} names no folder of models")
    if not _MODEL_ID.fullmatch(model_id):
        raise ModelError(f"{model_id!r:.100} is no model's name: letters, digits, '.', '_' and '-' make one")
    folder = Path(root).resolve()
    # A name may hold dots of its own (`net_1.0.0`), so suffixes are appended and not replaced.
    for path in (folder / model_id, *(folder / f"{model_id}{suffix}" for suffix in weights.SUFFIXES)):
        if path.exists():
            return StoredModel(model_id, path, model_class, dtype)
    there = sorted(folder.iterdir()) if folder.is_dir() else []
    raise ModelError(f"there is no model {model_id} among those that the platform keeps: {_listing(there)}")


def in_archive(path: str | os.PathLike[str]) -> Path:
    """Take a relative path as relative to the archive of the code that is running, if it is there."""
    given = Path(path)
    root = None if given.is_absolute() else _calling_archive()
    return root / given if root is not None and (root / given).exists() else given


def _calling_archive() -> Path | None:
    """Find the archive of the innermost of the author's functions that are running."""
    frame = inspect.currentframe()
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package.startswith(_PACKAGE_PREFIX):
            return Path(sys.modules[package].__path__[0])
        frame = frame.f_back
    return None


def _class(transformers: Any, name: str) -> Any:
    found = getattr(transformers, name, None)
    if found is None:
        raise ModelError(f"transformers {transformers.__version__} has no class {name}")
    return found


def _dtype(torch: Any, name: str) -> Any:
    dtype = getattr(torch, name.removeprefix("torch."), None)
    if not isinstance(dtype, torch.dtype):
        raise ModelError(f"{name!r} is no dtype of torch: write float32, float16 or bfloat16")
    return dtype


def _weights_of(folder: Path) -> list[Path]:
    for suffix in weights.SUFFIXES:
        if files := sorted(folder.glob(f"*{suffix}")):
            return files
    return []


def _listing(paths: list[Path]) -> str:
    names = [path.name for path in paths]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return (", ".join(names[:_LISTED]) or "none") + more
