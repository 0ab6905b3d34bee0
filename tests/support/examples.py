"""The examples' modules, as the runtime imports them, and the scripts beside them."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from extractor_apis import naming
from extractor_runtime import loader

EXAMPLES = Path(__file__).parents[2] / "examples"


def module(example: str, name: str) -> Any:
    """Import a module of an example as the runtime does: ``processors.scenes``."""
    folder = EXAMPLES / example
    return loader.load(loader.Tree(folder, "sha256:" + naming.stable_hash(str(folder))), name)


def script(name: str) -> ModuleType:
    """Import a script that stands beside the examples."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    imported = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(imported)
    return imported
