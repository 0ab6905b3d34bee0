"""What transformations of programs are made of: a module is taken apart, and its parts put elsewhere."""

import ast
import copy
from collections.abc import Callable, Iterator, Mapping

CORE, LENT = "processors/core.py", "processors/lent.py"
Files = dict[str, str]
Transformation = Callable[[ast.Module], Files | None]
"""Writes a program otherwise, as files that do what it did; None where it does not apply. It may take the
module apart."""


class Fill(ast.NodeTransformer):
    """Put statements or an expression where a template has a name for them."""

    def __init__(self, name: str, content: list[ast.stmt] | ast.expr) -> None:
        self._name, self._content = name, content

    def visit_Expr(self, node: ast.Expr) -> object:
        is_place = isinstance(node.value, ast.Name) and node.value.id == self._name
        return copy.deepcopy(self._content) if is_place else self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> object:
        return copy.deepcopy(self._content) if node.id == self._name else node


def imported(module: ast.Module) -> list[str]:
    """Name what a module's imports bind."""
    return [
        each.asname or each.name.partition(".")[0]
        for node in module.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for each in node.names
    ]


def plain_imports(module: ast.Module) -> Iterator[tuple[str, str]]:
    """Give what ``import`` statements bind, and to which module."""
    for node in module.body:
        for each in node.names if isinstance(node, ast.Import) else ():
            yield each.asname or each.name, each.name


def split(module: ast.Module) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """Part imports from the rest."""
    imports: list[ast.stmt] = [each for each in module.body if isinstance(each, ast.Import | ast.ImportFrom)]
    return imports, [each for each in module.body if each not in imports]


def renamed(module: ast.Module, names: Mapping[str, str]) -> ast.Module:
    """Call names otherwise, wherever they are bound and read."""

    class Rename(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> object:
            return ast.Name(names.get(node.id, node.id), node.ctx)

        def visit_alias(self, node: ast.alias) -> object:
            bound = node.asname or node.name
            return ast.alias(node.name, names.get(bound, node.asname)) if "." not in bound else node

    return Rename().visit(module)  # type: ignore[no-any-return]


def core(module: ast.Module) -> Files:
    """Write a module down as the one file of a program."""
    return {CORE: unparse(module)}


def unparse(module: ast.Module) -> str:
    """Write a module down."""
    return ast.unparse(ast.fix_missing_locations(module)) + "\n"
