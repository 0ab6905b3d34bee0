"""The same manifest gets the same verdict, however it is written."""

import ast

import pytest

from support import archive_forms
from support.archives import MANIFEST, extractor, judge_bytes, rejections
from support.rewriting import CORE, Transformation, unparse
from support.spellings import SPELLINGS

MANIFESTS = {
    **{name: (text, set()) for name, (text, _) in archive_forms.DIALECTS.items()},
    "that calls": (MANIFEST + "x = len('a')\n", {"M01"}),
    "that imports": (MANIFEST + "import os\n", {"M01"}),
    "that loops": (MANIFEST + "x = [y for y in 'ab']\n", {"M01"}),
    "without a version": (MANIFEST.replace("version", "other"), {"M02"}),
    "with two names": (MANIFEST + "feature_extractor_name = 'other'\n", {"M02"}),
    "with a bad name": (MANIFEST.replace("text_embed", "Text Embed", 1), {"M03"}),
    "with a bad version": (MANIFEST.replace("1.0.0", "one"), {"M03"}),
    "with another metric": (MANIFEST.replace("cosine", "manhattan"), {"M04"}),
    "with no dimension": (MANIFEST.replace("128", "True"), {"M04"}),
    "with a dependency by URL": (
        MANIFEST.replace("dependencies = []", "dependencies = ['a @ https://example.org/a.zip']"),
        {"M05"},
    ),
    "that nests": (MANIFEST + "x = " + "[" * 40 + "]" * 40 + "\n", {"M06"}),
}
# A manifest has no conditions, which tabs are shown with.
WAYS = {name: change for name, change in SPELLINGS.items() if name != "with tabs"}


def _annotate(module: ast.Module) -> dict[str, str]:
    class Annotate(ast.NodeTransformer):
        def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
            return node

        def visit_Assign(self, node: ast.Assign) -> ast.stmt:
            return ast.AnnAssign(node.targets[0], ast.Name("object", ast.Load()), node.value, 1)

    return {CORE: unparse(Annotate().visit(module))}


@pytest.mark.parametrize(("text", "want"), MANIFESTS.values(), ids=MANIFESTS)
def test_a_manifests_verdict_does_not_depend_on_how_it_is_written(text: str, want: set[str]) -> None:
    more: dict[str, Transformation] = {"with annotations": _annotate}
    found = {"as it is": judged(text)}
    for name, change in {**WAYS, **more}.items():
        files = change(ast.parse(text))
        if files is not None:
            found[name] = judged(files[CORE])

    assert len(found) > 4 and {name: rules for name, rules in found.items() if rules != want} == {}


def judged(text: str) -> set[str]:
    return rejections(judge_bytes(extractor({"manifest.py": text})))
