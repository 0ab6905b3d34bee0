"""The text_passages example: its modules, its preparation, its model."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from extractor_apis import naming
from extractor_runtime import loader
from support import peers

EXAMPLES = Path(__file__).parents[2] / "examples"
PEER = """
def run(request):
    from sentence_transformers import SentenceTransformer
    model = SentenceTransformer(request["model"], device="cpu")
    return model.encode(request["texts"], normalize_embeddings=True).tolist()
"""
"""The plain library, for `peers.run`: {"model", "texts"} to one vector a text."""


def module(name: str, folder: Path = EXAMPLES / "text_passages") -> Any:
    """Import a module of the extractor as the runtime does: ``processors.passages``."""
    return loader.load(loader.Tree(folder, "sha256:" + naming.stable_hash(str(folder))), name)


def script() -> ModuleType:
    """Import the script that prepares the example."""
    spec = importlib.util.spec_from_file_location(
        "prepare_text_passages", EXAMPLES / "prepare_text_passages.py"
    )
    assert spec is not None and spec.loader is not None
    imported = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(imported)
    return imported


def prepare(out: Path) -> tuple[Path, Path]:
    """Write the whole extractor and its source, or end the test where the model is missing."""
    model()
    written: tuple[Path, Path] = script().prepare(out, _search_path())
    return written


def model() -> Path:
    """Find the model as its package has it, installed beside us or among the peers, or end the test."""
    found: Path | None = script().find_model(_search_path())
    if found is None:
        peers.missing("the sentence model is missing: run make demo, or make peers")
    assert found is not None
    return found


def _search_path() -> list[str]:
    return [*sys.path, *peers.site_packages()]
