"""The hosted platform's built-in models, which are not part of this system.

An archive may import and configure any of them, by any name, since it may never come to use it. The service
itself fails when it is made, and says what to use instead. Imported by ``engine.inference`` and
``shared.inference``, below which every module that is not there exists for this.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

from extractor_runtime import errors

_PACKAGES = ("engine.inference.", "shared.inference.")
_CONFIGURATIONS = "models"


class UnavailableModelError(errors.SetupError):
    """A built-in model of the hosted platform was used."""

    def __init__(self, model: str) -> None:
        super().__init__(
            f"the built-in model service {model} is not part of this system: bring the model in the archive "
            "(load_custom_model of mixpeek_dev.models), name it in load_hf_model of engine.models, or call "
            "a remote one through container.llm"
        )


def get_batch_service(service_id: str) -> type:
    """Return the batch class of a built-in model, ``org/model``: one that fails when it is made."""
    return _service(service_id, service_id)


class UnavailableService:
    """A built-in service, batch or realtime: its class is there, no object of it ever is."""

    model = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise UnavailableModelError(self.model)

    def __call__(self, *args: Any) -> Any:
        raise UnavailableModelError(self.model)


def _service(name: str, model: str) -> type:
    return type(name, (UnavailableService,), {"model": model})


class _Configuration(SimpleNamespace):
    """Settings of a built-in model, whatever they are."""


class _Module(ModuleType):
    """A module in which every name is a built-in service or its configuration."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        # engine.inference.openai.whisper_api.services → openai/whisper_api
        *model, kind = self.__name__.split(".")[2:]
        return _Configuration if kind == _CONFIGURATIONS else _service(name, "/".join(model or [kind]))


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds what no other finder found below the two packages; stands last among them."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(_PACKAGES):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


sys.meta_path.append(_Finder())
