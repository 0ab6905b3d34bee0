"""A Python file as the code rules see it: its bytes, its text, and the nodes of its syntax tree by type, each
with the scope that it is evaluated in.

The tree is walked once, without recursion, for all rules.
"""

import ast
import collections
import sys
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from extractor_sandbox import bindings, limits, row_loops
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import Problem
from extractor_sandbox.imports import Imports
from extractor_sandbox.scopes import Scope, open_scope
from extractor_sandbox.texts import Texts

Node = TypeVar("Node", bound=ast.AST)
Nodes = dict[type[ast.AST], list[tuple[ast.AST, Scope]]]

_MAX_DEPTH = 400
_MAX_NODES = 200_000
_TOO_LARGE = f"the syntax tree has more than {_MAX_DEPTH} levels or {_MAX_NODES} nodes"
_OPENERS = frozenset(
    (
        *(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef),
        *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
    )
)
# Fields that hold no nodes, or nodes without anything in them.
_PLAIN = frozenset(
    (
        *("ctx", "op", "ops", "id", "attr", "arg", "kind", "type_comment", "module", "level", "asname"),
        *("is_async", "simple", "conversion", "rest", "kwd_attrs"),
    )
)
# Types with such a field, whose node counts nevertheless.
_WITH_ANOTHER = (
    *(ast.Name, ast.Attribute, ast.Subscript, ast.Starred, ast.List, ast.Tuple),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.AugAssign),
)
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Source:
    """One ``.py`` or ``.pyi`` file."""

    path: str
    raw: bytes
    imports: Imports
    """What it may import."""
    text: str | None = None
    """None if it is not UTF-8."""
    tree: ast.Module | None = None
    """None if it could not be parsed; then there are no nodes either."""
    nodes: Nodes = field(default_factory=dict)
    scope: Scope = field(default_factory=Scope)
    """The module's own."""
    fields: Scope = field(default_factory=Scope)
    """What is bound to attributes, by their names: after ``self.backend = numpy`` every attribute ``backend``
    may be numpy, for nobody knows where ``self`` goes."""
    unparsable: Problem | None = None
    """Why there is no tree."""

    def each(self, kind: type[Node]) -> list[Node]:
        """Give all nodes of a type, in no certain order."""
        found = self._plain.get(kind)
        if found is None:
            # Half of all rules go through the constants: they are taken out of their pairs once.
            found = self._plain[kind] = [node for node, _ in self.scoped(kind)]
        return found  # type: ignore[return-value]

    def scoped(self, kind: type[Node]) -> list[tuple[Node, Scope]]:
        """Give all nodes of a type with their scopes."""
        return self.nodes.get(kind, [])  # type: ignore[return-value]

    @cached_property
    def _plain(self) -> dict[type[ast.AST], list[ast.AST]]:
        return {}

    @cached_property
    def names(self) -> dict[str, list[tuple[ast.Name, Scope]]]:
        """All names, with their scopes, by what they are."""
        found = collections.defaultdict[str, list[tuple[ast.Name, Scope]]](list)
        for pair in self.scoped(ast.Name):
            found[pair[0].id].append(pair)
        return dict(found)

    @cached_property
    def attributes(self) -> dict[str, list[ast.Attribute]]:
        """All attributes by their names."""
        found = collections.defaultdict[str, list[ast.Attribute]](list)
        for node, _ in self.scoped(ast.Attribute):
            found[node.attr].append(node)
        return dict(found)

    @cached_property
    def texts(self) -> Texts:
        """The strings that it spells out."""
        return Texts(self)

    @cached_property
    def assignments(self) -> list[tuple[ast.expr, ast.expr, Scope]]:
        """All targets with what is assigned to them, and where."""
        plain = [
            (each, node.value, scope) for node, scope in self.scoped(ast.Assign) for each in node.targets
        ]
        annotated = [
            (node.target, node.value, scope) for node, scope in self.scoped(ast.AnnAssign) if node.value
        ]
        return plain + annotated

    @cached_property
    def row_calls(self) -> list[row_loops.RowCall]:
        """Slow calls that are made once for each row of a batch."""
        return row_loops.find(
            [*self.each(ast.FunctionDef), *self.each(ast.AsyncFunctionDef)], self.attributes
        )

    def forget(self) -> None:
        """Undo the circles of scopes and texts: in the worker nobody collects them."""
        self.__dict__.pop("texts", None)
        self.scope.opened.clear()

    def problem(self, node: ast.AST, message: str, advice: str | None = None) -> Problem:
        """Make a problem at a node."""
        line, column = getattr(node, "lineno", None), getattr(node, "col_offset", None)
        return Problem(message, self.path, line, None if column is None else column + 1, advice)


def parse(path: str, content: Extent, imports: Imports) -> Source:
    """Read and parse a file; what keeps it from being parsed is kept for the rules to tell."""
    if content.size > limits.SOURCE_BYTES:
        message = f"the file is {content.size} bytes; the limit for code is {limits.SOURCE_BYTES}"
        return Source(path, b"", imports, "", unparsable=Problem(message, path))
    raw = content.content()
    try:
        text = raw.removeprefix(_BOM).decode()
    except UnicodeDecodeError:
        return Source(path, raw, imports)
    try:
        tree = ast.parse(text, filename=path)
        nodes = collect(tree)
    except SyntaxError as err:
        return Source(path, raw, imports, text, unparsable=_explain(err, path))
    except (ValueError, RecursionError, MemoryError) as err:
        message = f"it cannot be parsed: {err or 'it takes too much memory'}"
        return Source(path, raw, imports, text, unparsable=Problem(message, path))
    [(_, scope)] = nodes[ast.Module]
    source = Source(path, raw, imports, text, tree, nodes, scope)
    bindings.bind(source)
    return source


def _explain(error: SyntaxError, path: str) -> Problem:
    # It counts characters, and nodes count bytes.
    before = (error.text or "")[: max(0, (error.offset or 1) - 1)]
    column = len(before.encode()) + 1 if error.text and error.offset else None
    advice = f"Correct the syntax: Python {sys.version_info.major}.{sys.version_info.minor} reads the file."
    if "null byte" in error.msg:
        advice = (
            "Take the NUL characters out; a file that is full of them was saved as UTF-16: save it as UTF-8."
        )
    return Problem(f"it does not parse: {error.msg}", path, error.lineno, column, advice)


def collect(tree: ast.Module) -> Nodes:
    """Sort all nodes by type. Raises ValueError where the tree is too deep or too large."""
    nodes: Nodes = collections.defaultdict(list)
    # More than half of all nodes are one of these, and have no children: they do not wait for the next level.
    names, constants = nodes[ast.Name], nodes[ast.Constant]
    level: list[tuple[ast.AST, Scope]] = [(tree, Scope())]
    count = depth = leaves = 0
    while level or leaves:
        depth += 1
        count += len(level) + leaves
        if depth > _MAX_DEPTH or count > _MAX_NODES:
            raise ValueError(_TOO_LARGE)
        leaves = -len(names) - len(constants)
        children: list[tuple[ast.AST, Scope]] = []
        for pair in level:
            node, scope = pair
            kind = type(node)
            nodes[kind].append(pair)
            if kind in _OPENERS:
                children += open_scope(node, scope)
                continue
            for name in _FIELDS[kind]:
                value = getattr(node, name)
                for each in value if type(value) is list else (value,):
                    kind = type(each)
                    if kind is ast.Name:
                        names.append((each, scope))
                    elif kind is ast.Constant:
                        constants.append((each, scope))
                    elif isinstance(each, ast.AST):
                        children.append((each, scope))
        level = children
        leaves += len(names) + len(constants)
    count += sum(len(nodes[kind]) for kind in _WITH_ANOTHER if kind in nodes)
    if count > _MAX_NODES:
        raise ValueError(_TOO_LARGE)
    return nodes


class _Fields(dict[type[ast.AST], tuple[str, ...]]):
    """For each type of node, its fields that may hold nodes with something in them."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        fields = () if kind is ast.Constant else tuple(name for name in kind._fields if name not in _PLAIN)
        self[kind] = fields
        return fields


_FIELDS = _Fields()
