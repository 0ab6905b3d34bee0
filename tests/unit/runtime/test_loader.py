"""Importing an author's tree under a package name of its own."""

import ast
import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from extractor_runtime import errors, loader, places

TREE = {
    "manifest.py": "name = 'x'\n",
    "pipeline.py": (
        "import manifest\nimport processors.core\nfrom processors.core import double\n"
        "import my_extractor.processors.core as wrapped\nfrom .processors import core as relative\n"
        "from my_extractor import manifest as again\n"
    ),
    "processors/core.py": (
        "import json\n\ndef double(x):\n    return 2 * x\n\ndef fail():\n    raise ValueError('no')\n"
    ),
    "broken.py": "\n\nimport json\nraise KeyError('weights')\n",
    "unparsable.py": "x = 1\ndef f(:\n",
}


def make_tree(root: Path, files: dict[str, str] = TREE, digest: str = "sha256:" + "ab" * 32) -> loader.Tree:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return loader.Tree(root, digest, "my_extractor")


@pytest.fixture
def tree(tmp_path: Path) -> loader.Tree:
    # A digest of its own: modules of another test's tree must not be found.
    return make_tree(tmp_path, digest="sha256:" + hashlib.sha256(str(tmp_path).encode()).hexdigest())


def test_every_way_to_import_an_own_module_gives_the_same_module(tree: loader.Tree) -> None:
    pipeline = loader.load(tree, "pipeline")

    assert pipeline.double(4) == 8
    assert pipeline.processors.core is pipeline.wrapped is pipeline.relative
    assert pipeline.manifest is pipeline.again


def test_the_top_level_namespace_stays_clean(tree: loader.Tree) -> None:
    loader.load(tree, "pipeline")

    assert not {"manifest", "pipeline", "processors", "my_extractor"} & sys.modules.keys()


def test_nothing_is_written_into_the_tree(tree: loader.Tree) -> None:
    before = sorted(tree.root.rglob("*"))

    loader.load(tree, "pipeline")

    assert sorted(tree.root.rglob("*")) == before


def test_a_folder_without_code_hides_no_library(tmp_path: Path) -> None:
    files = {"pipeline.py": "import json\nx = json.dumps([1])\n", "json/labels/en.json": "{}"}

    pipeline = loader.load(make_tree(tmp_path, files, "sha256:" + "03" * 32), "pipeline")

    assert pipeline.x == "[1]"


def test_two_versions_live_side_by_side(tmp_path: Path) -> None:
    one = make_tree(tmp_path / "1", {"realtime.py": "x = 1"}, "sha256:" + "01" * 32)
    two = make_tree(tmp_path / "2", {"realtime.py": "x = 2"}, "sha256:" + "02" * 32)

    assert (loader.load(one, "realtime").x, loader.load(two, "realtime").x) == (1, 2)


@pytest.mark.parametrize(
    ("module", "want"),
    [
        pytest.param("broken", "broken.py:4: broken.py does not import: KeyError: 'weights'", id="raises"),
        pytest.param(
            "unparsable", "unparsable.py:2: unparsable.py does not import: SyntaxError", id="unparsable"
        ),
        pytest.param("absent", "absent.py does not import: ModuleNotFoundError", id="missing"),
    ],
)
def test_a_failing_import_names_the_authors_line(tree: loader.Tree, module: str, want: str) -> None:
    with pytest.raises(errors.AuthorError) as caught:
        loader.load(tree, module)

    assert str(caught.value).startswith(want)


def test_an_environment_adds_libraries_and_hides_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    environment = tmp_path / "environment"
    environment.mkdir()
    (environment / "only_in_the_environment.py").write_text("VALUE = 1\n")
    (environment / "tomllib.py").write_text("raise RuntimeError('it hides the standard library')\n")
    code = "import only_in_the_environment, tomllib\nVALUE = only_in_the_environment.VALUE\n"
    tree = make_tree(tmp_path / "tree", {"pipeline.py": code})

    module = loader.load(replace(tree, environment=environment), "pipeline")

    assert (module.VALUE, sys.path[-1]) == (1, str(environment))


def test_a_library_that_is_not_installed_is_said_to_be(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, {"pipeline.py": "import left_pad"}, "sha256:" + "04" * 32)

    with pytest.raises(errors.AuthorError) as caught:
        loader.load(tree, "pipeline")

    assert str(caught.value) == (
        "pipeline.py:1: pipeline.py does not import: ModuleNotFoundError: No module named 'left_pad'; "
        "install it where the extractor runs, and name it in the manifest's dependencies"
    )


def test_an_error_is_located_at_the_innermost_line_of_the_archive(tree: loader.Tree) -> None:
    core = loader.load(tree, "processors.core")

    with pytest.raises(ValueError) as caught:
        core.fail()

    assert places.of_error(caught.value, tree.root) == "processors/core.py:7"


@pytest.mark.parametrize(
    ("source", "want"),
    [
        ("import os", "import os"),
        ("import processors as p", "import pkg.processors as p"),
        (
            "import processors.core",
            "import pkg.processors.core as processors\nimport pkg.processors as processors",
        ),
        ("from processors.core import A", "from pkg.processors.core import A"),
        ("from top import processors", "from pkg import processors"),
        ("from . import processors", "from . import processors"),
        ("import numpy, manifest", "import numpy\nimport pkg.manifest as manifest"),
    ],
)
def test_imports_of_own_modules_point_into_the_package(source: str, want: str) -> None:
    rewritten = loader.rewrite_imports(ast.parse(source), "pkg", {"processors", "manifest"}, "top")

    assert ast.unparse(rewritten) == want
