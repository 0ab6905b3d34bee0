"""The names that archives import: all there, all documented, and nothing but names."""

import ast
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "author-library.md"
ROWS = re.findall(r"^\| `(from [^`]+)` \|", PAGE.read_text(), re.MULTILINE)
FACADES = [
    path
    for source in ("runtime/src/engine", "runtime/src/shared", "runtime/src/mixpeek_dev", "sandbox/src/api")
    for path in sorted((ROOT / source).rglob("*.py"))
]
HEAVY = ("torch", "transformers", "openai", "anthropic", "google.genai", "ray", "onnxruntime", "PIL")

pytestmark = pytest.mark.integration


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts[2:]
    return ".".join(parts).removesuffix(".__init__")


@pytest.mark.parametrize("row", ROWS)
def test_every_documented_import_works(row: str) -> None:
    exec(row, {})


def test_every_name_of_every_facade_is_documented() -> None:
    documented = {
        (node.module, alias.name)
        for row in ROWS
        for node in ast.parse(row).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    exported = {
        (name_of(path), name)
        for path in FACADES
        for name in getattr(importlib.import_module(name_of(path)), "__all__", [])
    }

    # An error is caught, not imported; and the loaders' module repeats the name of its package.
    undocumented = {
        (module, name) for module, name in exported - documented if name != "UnavailableModelError"
    }
    assert undocumented == {("mixpeek_dev.models.loaders", "load_custom_model")}


@pytest.mark.parametrize("path", FACADES, ids=name_of)
def test_a_facade_is_a_docstring_and_re_exports(path: Path) -> None:
    docstring, *rest = ast.parse(path.read_text()).body

    assert isinstance(docstring, ast.Expr)
    assert "\n" not in (ast.get_docstring(ast.parse(path.read_text())) or "\n")
    for statement in rest:
        exports = isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__"
        assert exports or isinstance(statement, ast.ImportFrom), ast.unparse(statement)


def test_importing_every_facade_loads_no_model_library() -> None:
    imports = "\n".join(f"import {name_of(path)}" for path in FACADES)
    found = f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"

    script = f"import json, sys\n{imports}\n{found}"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, timeout=60)

    assert json.loads(output.stdout) == []
