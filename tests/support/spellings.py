"""Ways to name and to spell: the same program by other names, from other files, in other characters."""

import ast
import io
import re
import token
import tokenize
from collections.abc import Callable, Mapping

from support.rewriting import (
    CORE,
    LENT,
    Files,
    Fill,
    Transformation,
    core,
    imported,
    plain_imports,
    renamed,
    split,
    unparse,
)


def _rename(module: ast.Module) -> Files | None:
    """Bind every imported name to another."""
    names = {name: f"renamed_{name}" for name in imported(module)}
    return core(renamed(module, names)) if names else None


def _use_members(module: ast.Module) -> Files | None:
    """Write ``from os import path as z`` for ``import os`` and ``os.path``."""
    modules = {local: name for local, name in plain_imports(module)}
    found = [
        node
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules
    ]
    reads = sum(isinstance(node, ast.Name) and node.id in modules for node in ast.walk(module))
    if not found or reads != len(found):
        return None
    imports = [
        ast.parse(f"from {modules[node.value.id]} import {node.attr} as member_{node.attr}").body[0]  # type: ignore[attr-defined]
        for node in found
    ]
    rest = [each for each in module.body if not isinstance(each, ast.Import)]

    class Shorten(ast.NodeTransformer):
        def visit_Attribute(self, node: ast.Attribute) -> object:
            is_member = isinstance(node.value, ast.Name) and node.value.id in modules
            return ast.Name(f"member_{node.attr}", node.ctx) if is_member else self.generic_visit(node)

    return core(ast.Module(imports + [Shorten().visit(each) for each in rest], []))


def _import_inside(module: ast.Module) -> Files | None:
    """Import in one function, for the module, and use it in another."""
    if not imported(module):
        return None
    imports, rest = split(module)
    function = ast.parse(f"def load():\n    global {', '.join(imported(module))}\n    BODY\nload()")
    return core(ast.Module(Fill("BODY", imports).visit(function).body + rest, []))


def _import_nonlocal(module: ast.Module) -> Files | None:
    if not imported(module):
        return None
    imports, rest = split(module)
    names = imported(module)
    template = f"""
def outer():
    {" = ".join(names)} = None
    def load():
        nonlocal {", ".join(names)}
        BODY
    load()
    REST
outer()
"""
    return core(Fill("REST", rest).visit(Fill("BODY", imports).visit(ast.parse(template))))


def _lend(module: ast.Module) -> Files | None:
    """Import in one file, and take the names from there."""
    return _lent(module, {name: name for name in imported(module)})


def _lend_renamed(module: ast.Module) -> Files | None:
    return _lent(module, {name: f"lent_{name}" for name in imported(module)})


def _lent(module: ast.Module, names: dict[str, str]) -> Files | None:
    imports, rest = split(module)
    if not names or not rest or any(isinstance(each, ast.ImportFrom) and each.level for each in imports):
        return None
    spelled = ", ".join(f"{name} as {local}" for name, local in names.items())
    lines = [*ast.parse(f"from .lent import {spelled}").body, *renamed(ast.Module(rest, []), names).body]
    return {LENT: unparse(ast.Module(imports, [])), **core(ast.Module(lines, []))}


def _move(module: ast.Module) -> Files | None:
    """Put everything into a file of its own, and import that."""
    return {LENT: unparse(module), CORE: "from . import lent\nlent.x = 1\n"}


def _comment(module: ast.Module) -> Files | None:
    """Say at the end of every line that it is fine."""
    return _retokenize(
        module, lambda text: f"  # nosec  # noqa  # type: ignore  # nosemgrep{text}", token.NEWLINE
    )


def _break_lines(module: ast.Module) -> Files | None:
    """Go on in the next line wherever a statement may."""
    return _retokenize(module, lambda text: f"{text} \\\n", token.OP, token.NUMBER, token.STRING)


def _escape_strings(module: ast.Module) -> Files | None:
    """Spell every letter of a string by its number."""

    def escape(text: str) -> str:
        value = ast.literal_eval(text)
        return (
            "'" + "".join(f"\\U{ord(each):08x}" for each in value) + "'" if isinstance(value, str) else text
        )

    return _retokenize(module, escape, token.STRING)


def _split_strings(module: ast.Module) -> Files | None:
    """Join every string of two."""

    def halve(text: str) -> str:
        value = ast.literal_eval(text)
        half = len(value) // 2
        return f"{value[:half]!r} {value[half:]!r}"

    return _retokenize(module, halve, token.STRING)


def _add_brackets(module: ast.Module) -> Files | None:
    class Bracket(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> object:
            self.generic_visit(node)
            return ast.Call(ast.Name(f"({ast.unparse(node.func)})", ast.Load()), node.args, node.keywords)

    return core(Bracket().visit(module))


def _indent_by_tabs(module: ast.Module) -> Files | None:
    shaped = Fill("BODY", module.body).visit(ast.parse("if flag:\n    BODY"))
    return {CORE: re.sub("^    ", "\t", unparse(shaped), flags=re.MULTILINE)}


def _end_lines_otherwise(module: ast.Module) -> Files | None:
    return {CORE: "\ufeff" + unparse(module).replace("\n", "\r\n")}


def _retokenize(module: ast.Module, change: Callable[[str], str], *kinds: int) -> Files | None:
    """Change the text of tokens. Code with f-strings is left alone: their tokens depend on the Python."""
    if any(isinstance(node, ast.JoinedStr) for node in ast.walk(module)):
        return None
    text, changed, position = unparse(module), "", 0
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for each in tokenize.generate_tokens(io.StringIO(text).readline):
        if each.type in kinds and each.string:
            start = starts[each.start[0] - 1] + each.start[1]
            changed += text[position:start] + change(each.string)
            position = start + len(each.string)
    changed += text[position:]
    return {CORE: changed} if changed != text else None


NAMES: Mapping[str, Transformation] = {
    "under other names": _rename,
    "through members": _use_members,
    "imported in a function for all": _import_inside,
    "imported in a function for another": _import_nonlocal,
    "imported by another file": _lend,
    "imported by another file under other names": _lend_renamed,
    "in another file": _move,
}
SPELLINGS: Mapping[str, Transformation] = {
    "with comments": _comment,
    "with broken lines": _break_lines,
    "with escaped strings": _escape_strings,
    "with split strings": _split_strings,
    "with brackets": _add_brackets,
    "with tabs": _indent_by_tabs,
    "with CRLF and BOM": _end_lines_otherwise,
}
