"""A Python file as the code rules see it: its bytes, its text, and the nodes of its syntax tree by type.

The tree is walked once, without recursion, for all rules.
"""

import ast
import collections
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from extractor_sandbox import limits
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import Problem
from extractor_sandbox.imports import Imports

Node = TypeVar("Node", bound=ast.AST)

_MAX_DEPTH = 400
_MAX_NODES = 200_000
_LEAVES = (ast.Constant, ast.expr_context, ast.operator)
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
    nodes: dict[type[ast.AST], list[ast.AST]] = field(default_factory=dict)
    unparsable: Problem | None = None
    """Why there is no tree."""

    def each(self, kind: type[Node]) -> Iterator[Node]:
        """Give all nodes of a type, in no certain order."""
        yield from self.nodes.get(kind, ())  # type: ignore[misc]

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
        return Source(
            path, raw, imports, text, unparsable=Problem(f"it does not parse: {err.msg}", path, err.lineno)
        )
    except (ValueError, RecursionError, MemoryError) as err:
        message = f"it cannot be parsed: {err or 'it takes too much memory'}"
        return Source(path, raw, imports, text, unparsable=Problem(message, path))
    return Source(path, raw, imports, text, tree, nodes)


def collect(tree: ast.Module) -> dict[type[ast.AST], list[ast.AST]]:
    """Sort all nodes by type. Raises ValueError where the tree is too deep or too large."""
    nodes: dict[type[ast.AST], list[ast.AST]] = collections.defaultdict(list)
    level: list[ast.AST] = [tree]
    count = depth = 0
    while level:
        count += len(level)
        depth += 1
        if depth > _MAX_DEPTH or count > _MAX_NODES:
            raise ValueError(f"the syntax tree has more than {_MAX_DEPTH} levels or {_MAX_NODES} nodes")
        children: list[ast.AST] = []
        for node in level:
            nodes[type(node)].append(node)
            if isinstance(node, _LEAVES):
                continue
            for value in vars(node).values():
                if isinstance(value, list):
                    children += [each for each in value if isinstance(each, ast.AST)]
                elif isinstance(value, ast.AST):
                    children.append(value)
        level = children
    return nodes
