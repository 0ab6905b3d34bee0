"""How large constant expressions become, found without computing them.

Python folds constants when it compiles: a line of ten characters can take a machine's memory before it runs.
"""

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

_MAX_BITS = 4_096
_MAX_ELEMENTS = 10 << 20
# Products may grow beyond what powers may; above this, one is as large as another.
_CEILING = 1 << 16 * _MAX_BITS


@dataclass(frozen=True)
class _Length:
    """A string, tuple or list of so many elements."""

    elements: int


_Folded = int | _Length | None


def find_explosions(nodes: Iterable[ast.BinOp]) -> Iterator[tuple[ast.BinOp, str]]:
    """Find operations on constants whose result is too large."""
    folder = _Folder()
    for node in nodes:
        folder.fold(node)
    yield from folder.explosions


class _Folder:
    def __init__(self) -> None:
        self.explosions: list[tuple[ast.BinOp, str]] = []
        self._known: dict[ast.BinOp, _Folded] = {}

    def fold(self, node: ast.expr) -> _Folded:
        match node:
            case ast.Constant(value=int(value)):
                return value
            case ast.Constant(value=str() | bytes() as value):
                return _Length(len(value))
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                return _Length(len(elements))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.fold(operand)
            case ast.UnaryOp(op=ast.USub() | ast.Invert(), operand=operand):
                folded = self.fold(operand)
                return -folded if isinstance(folded, int) else None
            case ast.BinOp():
                if node not in self._known:
                    self._known[node] = self._fold_operation(node)
                return self._known[node]
        return None

    def _fold_operation(self, node: ast.BinOp) -> _Folded:
        match self.fold(node.left), node.op, self.fold(node.right):
            case int(left), _, int(right):
                return self._fold_integers(node, left, right)
            case _Length(elements=elements), ast.Mult(), int(times):
                return self._repeat(node, elements, times)
            case int(times), ast.Mult(), _Length(elements=elements):
                return self._repeat(node, elements, times)
            case _Length(elements=left), ast.Add(), _Length(elements=right):
                return _Length(left + right)
        return None

    def _fold_integers(self, node: ast.BinOp, left: int, right: int) -> int | None:
        match node.op:
            case ast.Pow() if right >= 0:
                smallest = (abs(left).bit_length() - 1) * right
                return self._bound(node, smallest, lambda: left**right)
            case ast.LShift() if right >= 0:
                return self._bound(node, right if left else 0, lambda: left << right if left else 0)
            case ast.Mult():
                return max(-_CEILING, min(left * right, _CEILING))
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.FloorDiv() if right:
                return left // right
            case ast.Mod() if right:
                return left % right
        return None

    def _bound(self, node: ast.BinOp, smallest_bits: int, compute: Callable[[], int]) -> int | None:
        value = compute() if smallest_bits <= _MAX_BITS else None
        if value is not None and value.bit_length() <= _MAX_BITS:
            return value
        self.explosions.append((node, f"a constant has more than {_MAX_BITS} bits"))
        return None

    def _repeat(self, node: ast.BinOp, elements: int, times: int) -> _Length:
        if elements * times > _MAX_ELEMENTS:
            self.explosions.append((node, f"a constant has more than {_MAX_ELEMENTS} elements"))
            return _Length(0)
        return _Length(elements * max(times, 0))
