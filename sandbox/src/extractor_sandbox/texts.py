"""Strings as far as a file spells them out: put together from sums, joins, `%s`, f-strings and names."""

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractor_sandbox.source import Source

# Longer ones are no longer put together: repeated joins could take a machine's memory.
_MAX_LENGTH = 100_000


class Texts:
    """The strings of one file."""

    def __init__(self, source: "Source") -> None:
        self._known: dict[ast.expr, str | None] = {}
        self._named: dict[str, set[str | None]] = {}
        for target, value, _ in source.assignments:
            if isinstance(target, ast.Name):
                text = value.value if isinstance(value, ast.Constant) else None
                self._named.setdefault(target.id, set()).add(text if isinstance(text, str) else None)
        calls = source.each(ast.Call) if "join" in source.attributes else ()
        # The innermost come last in a source: begun with them, no sum is followed further than one level.
        sums = [each for each in reversed(source.each(ast.BinOp)) if isinstance(each.op, ast.Add | ast.Mod)]
        nodes = (*sums, *source.each(ast.JoinedStr), *calls)
        self.composed = [(node, text) for node in nodes if (text := self.fold(node))]
        """All strings that are put together of others, with what they come to."""

    def fold(self, node: ast.expr) -> str | None:
        """Give the string that an expression comes to, None where the file does not tell."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if node not in self._known:
            try:
                text = self._fold(node)
            except RecursionError:
                text = None  # No one writes a string so deep, and its parts are judged all the same.
            self._known[node] = text if text is None or len(text) <= _MAX_LENGTH else None
        return self._known[node]

    def _fold(self, node: ast.expr) -> str | None:
        match node:
            case ast.Name(id=name):
                values = self._named.get(name, set())
                # With two values, nobody knows which.
                return next(iter(values)) if len(values) == 1 else None
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._join("", [left, right])
            case ast.BinOp(left=left, op=ast.Mod(), right=ast.Tuple(elts=values)):
                return self._fill(left, values)
            case ast.BinOp(left=left, op=ast.Mod(), right=value):
                return self._fill(left, [value])
            case ast.JoinedStr(values=values):
                return self._join("", values)
            case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                return self.fold(value)
            case ast.Call(
                func=ast.Attribute(value=ast.Constant(value=str(separator)), attr="join"),
                args=[ast.List(elts=values) | ast.Tuple(elts=values)],
            ):
                return self._join(separator, values)
        return None

    def _join(self, separator: str, parts: list[ast.expr]) -> str | None:
        texts = []
        for part in parts:
            text = self.fold(part)
            if text is None:
                return None
            texts.append(text)
        return separator.join(texts)

    def _fill(self, template: ast.expr, values: list[ast.expr]) -> str | None:
        """Put values in the place of every ``%s``; those that are not known leave nothing."""
        pieces = (self.fold(template) or "").split("%s")
        texts = [self.fold(value) or "" for value in values]
        if len(pieces) != len(texts) + 1:
            return None
        return "".join(piece + text for piece, text in zip(pieces, [*texts, ""], strict=True))
