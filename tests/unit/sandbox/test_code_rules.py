"""Code is plain text that parses, imports what is known, and reads no dangerous builtin."""

import ast
import sys

import pytest

from extractor_sandbox import imports, source
from support.archives import MANIFEST, extractor, judge_bytes, make_files, make_zip, rejections

CORE = "processors/core.py"


def judged(code: str | bytes, path: str = CORE, **more: str) -> set[str]:
    files = {"processors/__init__.py": "", "processors/types.py": "", path: code}
    return rejections(judge_bytes(extractor(files | more)))


@pytest.mark.parametrize(
    ("code", "want"),
    [
        pytest.param(b"\xef\xbb\xbfx = 1\r\n\fy = 2\r\n", set(), id="BOM, CRLF and form feed"),
        pytest.param("# -*- coding: utf-8 -*-\nx = 1\n", set(), id="a cookie that says UTF-8"),
        pytest.param("größe = 'مرحبا 👨\u200d👩\u200d👧'\n", set(), id="letters, emoji and joiners"),
        pytest.param("x = 'm²'  # ﬁt ①\n", set(), id="strings and comments that NFKC changes"),
        pytest.param("y = 1\nx = f'{y} m²'\n", set(), id="f-string text that NFKC changes"),
        pytest.param(b"x = '\xf6'\n", {"C01"}, id="Latin-1"),
        pytest.param("# coding: latin-1\nx = 1\n", {"C01"}, id="another cookie"),
        pytest.param(
            "#!/usr/bin/python\n# vim: set fileencoding=utf-7 :\n", {"C01"}, id="a cookie in line 2"
        ),
        pytest.param("x = 1\x00\n", {"C01", "C02"}, id="NUL"),
        pytest.param("x = '\x1b[2J'\n", {"C01"}, id="an escape sequence"),
        pytest.param("x = '\x85'\n", {"C01"}, id="a control character above ASCII"),
        pytest.param("x = 1\ry = 2\n", {"C01"}, id="a lone CR"),
        pytest.param("# \u202e reversed\n", {"C01"}, id="a reversing character in a comment"),
        pytest.param("x = '\u2066'\n", {"C01"}, id="an isolate in a string"),
        pytest.param("\uff45\uff56 = 1\n", {"C01"}, id="a full-width identifier"),
        pytest.param("x.ﬁt = 1\n", {"C01"}, id="a ligature as attribute"),
        pytest.param("y = 1\nx = f'{\uff59}'\n", {"C01"}, id="a full-width identifier in an f-string"),
        pytest.param("gro\u0308ße = 1\n", {"C01"}, id="a decomposed identifier"),
        pytest.param("x = f'{gro\u0308ße}'\n", {"C01"}, id="a decomposed identifier in an f-string"),
        pytest.param("x = f'{y[\"①\"]}'\n", set(), id="a string in an f-string"),
    ],
)
def test_text_is_plain(code: str | bytes, want: set[str]) -> None:
    assert judged(code) == want


@pytest.mark.parametrize(
    ("code", "want"),
    [
        pytest.param("x = 1\n" * 100, set(), id="many lines"),
        pytest.param(
            "BIG = 2 ** 32 - 1\nSHIFT = 1 << 4095\nLINE = '=' * 80\nZEROS = [0] * 1024\n", set(), id="sizes"
        ),
        pytest.param(
            "x = 9.0 ** 9 ** 9\nn = 8\ny = [0] * n\nz = 2 ** -9999\nw = 1 ** 9 ** 9\n",
            set(),
            id="small powers",
        ),
        pytest.param(
            "x = 10 // 0\ny = 1 % 0\nz = 1 << -1\nw = 0 << 10 ** 9\n", set(), id="errors that Python tells"
        ),
        pytest.param("def f(:\n", {"C02"}, id="no Python"),
        pytest.param("x = " + "-" * 60_000 + "1\n", {"C02"}, id="many signs"),
        pytest.param("x = " + "(" * 500 + ")" * 500 + "\n", {"C02"}, id="many brackets"),
        pytest.param("x = " + "1 + " * 420 + "1\n", {"C02"}, id="a long sum"),
        pytest.param("x = a" + ".b" * 5_000 + "\n", {"C02"}, id="a long chain"),
        pytest.param("#" * ((1 << 20) + 1), {"C02"}, id="more than 1 MiB"),
        pytest.param("x = 9 ** 9 ** 9\n", {"C02"}, id="a tower"),
        pytest.param("x = 2 ** 4096\n", {"C02"}, id="4,097 bits"),
        pytest.param("x = 1 << 4096\n", {"C02"}, id="4,097 bits by shifting"),
        pytest.param("x = 1 << (10 ** 9)\n", {"C02"}, id="a long shift"),
        pytest.param("x = -2 ** (5000 + 1)\n", {"C02"}, id="a sum as exponent"),
        pytest.param("x = 'a' * 10 ** 8\n", {"C02"}, id="a long string"),
        pytest.param("x = 10 ** 8 * [0]\n", {"C02"}, id="a long list"),
        pytest.param("x = ('a' * 4096) * 4096\n", {"C02"}, id="a string of strings"),
        pytest.param("def f(x=(0,) * (1 << 30)):\n    pass\n", {"C02"}, id="a long default"),
    ],
)
def test_code_is_bounded(code: str, want: set[str]) -> None:
    assert judged(code) == want


def test_trees_have_200_000_nodes_at_most() -> None:
    statement = ast.Pass()

    assert sum(map(len, source.collect(ast.Module([statement] * 199_999, [])).values())) == 200_000
    with pytest.raises(ValueError, match="200000 nodes"):
        source.collect(ast.Module([statement] * 200_000, []))


@pytest.mark.parametrize("path", ["notes.pyi", "tests/test_it.py", "realtime.py"])
def test_all_code_is_judged_wherever_it_is(path: str) -> None:
    assert judged("import subprocess\n", path) == {"C04"}


@pytest.mark.parametrize(
    "code",
    [
        *(
            "import os.path",
            "import concurrent.futures as f",
            "from urllib.parse import quote",
            "from urllib import error",
        ),
        *(
            "import numpy as np",
            "from PIL import Image",
            "import torch.nn.functional",
            "from ray import serve",
        ),
        *(
            "from ray import serve as s",
            "from shared.plugins.sdk import run_tool",
            "import engine.plugins",
            "import api",
        ),
        *(
            "from . import types",
            "from .types import x",
            "from .. import pipeline",
            "from ..pipeline import build_steps",
        ),
        *(
            "import processors.types",
            "from processors import types",
            "import processors",
            "import pipeline as p",
        ),
        *(
            "from __future__ import annotations",
            "def f():\n    import yaml",
            "try:\n    import cv2\nexcept E: pass",
        ),
    ],
)
def test_known_modules_are_imported(code: str) -> None:
    assert judged(code + "\n") == set()


@pytest.mark.parametrize(
    "code",
    [
        *(
            "import unknown",
            "import unknown.part",
            "from unknown import x",
            "import os, unknown",
            "import sqlite3",
        ),
        *(
            "import ray",
            "import ray.serve",
            "from ray.serve import x",
            "from ray import data",
            "from ray import serve, data",
        ),
        *(
            "import urllib",
            "from urllib import robotparser",
            "import xml.etree",
            "from numpy import *",
            "from .types import *",
        ),
        *(
            "from .missing import x",
            "import processors.missing",
            "from ..missing import x",
            "from ... import x",
        ),
        *(
            "from ...secrets import token",
            "import extractor_apis",
            "import selectors",
            "if T:\n    import unknown",
        ),
    ],
)
def test_unknown_modules_are_rejected(code: str) -> None:
    assert judged(code + "\n") == {"C03"}


@pytest.mark.parametrize("module", sorted(imports.FORBIDDEN))
def test_forbidden_modules_are_rejected_with_advice(module: str) -> None:
    head, _, tail = module.rpartition(".")
    forms = [
        f"import {module}",
        f"import {module} as x",
        f"from {module} import y",
        f"import {module}.deeper",
    ]
    for form in [*forms, f"from {head} import {tail}"] if head else forms:
        outcome = judge_bytes(extractor({CORE: f"\n{form}\n"}))

        [finding] = outcome.findings
        assert (finding.rule, finding.problem.path, finding.problem.line) == ("C04", CORE, 2)
        assert finding.problem.advice


def test_lists_of_modules_do_not_contradict_each_other() -> None:
    roots = {name for name in imports.FORBIDDEN if "." not in name}

    assert not roots & (imports.STANDARD | imports.THIRD_PARTY | imports.PLATFORM)
    assert sys.stdlib_module_names >= imports.STANDARD


def test_modules_are_imported_through_the_folder_around_them() -> None:
    code = "import text_embed.processors.types\nfrom text_embed import pipeline\nimport text_embed\n"
    files = make_files({"processors/types.py": "", "processors/core.py": code})

    wrapped = judge_bytes(make_zip({f"text_embed/{path}": data for path, data in files.items()}))

    assert (rejections(wrapped), rejections(judge_bytes(make_zip(files)))) == (set(), {"C03"})


@pytest.mark.parametrize(
    ("dependencies", "allowed", "code", "want"),
    [
        pytest.param(["Nice-Lib>=1"], ["nice_lib"], "import nice_lib.x", set(), id="allowed and named"),
        pytest.param(["nice-lib"], ["*"], "import nice_lib", set(), id="all allowed"),
        pytest.param(["Pillow-SIMD", "faiss-cpu"], ["*"], "import faiss", set(), id="another import root"),
        pytest.param(["PyPDF4"], ["*"], "import PyPDF4", set(), id="a root in upper case"),
        pytest.param(["nice-lib"], [], "import nice_lib", {"C03"}, id="named but not allowed"),
        pytest.param(["nice-lib"], ["other"], "import nice_lib", {"C03"}, id="another one allowed"),
        pytest.param([], ["*"], "import nice_lib", {"C03"}, id="allowed but not named"),
        pytest.param(["subprocess"], ["*"], "import subprocess", {"C04"}, id="a forbidden module"),
        pytest.param(["select"], ["*"], "import select", {"C03"}, id="a module of the standard library"),
    ],
)
def test_dependencies_open_modules(
    dependencies: list[str], allowed: list[str], code: str, want: set[str]
) -> None:
    manifest = MANIFEST.replace("dependencies = []", f"dependencies = {dependencies!r}")

    outcome = judge_bytes(extractor({"manifest.py": manifest, "code.txt": "", "core.py": code}), allowed)

    assert rejections(outcome) == want


@pytest.mark.parametrize(
    "code",
    [
        *(
            "re.compile('x')",
            "Image.open('x')",
            "model.eval()",
            "job.exec",
            "{'eval': 1}",
            "'eval(x)'  # open('x')",
        ),
        *(
            "f(compile=True)",
            "self.input = x",
            "class A:\n    def open(self): pass",
            "input = 3",
            "getattr(x, 'y')",
        ),
    ],
)
def test_methods_and_words_like_builtins_are_fine(code: str) -> None:
    assert judged(code + "\n") == set()


@pytest.mark.parametrize(
    "name",
    [
        *("eval", "exec", "compile", "open", "__import__", "setattr", "delattr", "globals", "locals", "vars"),
        *("breakpoint", "input", "__builtins__", "__loader__", "__spec__"),
    ],
)
def test_dangerous_builtins_are_not_read(name: str) -> None:
    uses = [
        f"{name}('x')",
        f"map({name}, [])",
        f"run = {name}",
        f"@{name}\nclass A: pass",
        f"f'{{{name}}}'",
        f"{name}.x",
    ]
    for use in uses:
        outcome = judge_bytes(extractor({CORE: use + "\n"}))

        [finding] = outcome.findings
        assert (finding.rule, finding.problem.path, finding.problem.line) == ("C05", CORE, 1)
        assert finding.problem.advice


def test_comments_change_no_verdict() -> None:
    assert judged("import subprocess  # nosec  # noqa: S404  # type: ignore\n") == {"C04"}


def test_a_scan_stops_after_200_findings() -> None:
    outcome = judge_bytes(extractor({CORE: "eval\n" * 1000}))

    assert len(outcome.findings) == 201
    assert outcome.findings[-1].rule == "X02"
