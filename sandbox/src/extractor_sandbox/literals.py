"""Evaluate expressions that are plain values, and nothing else."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from extractor_sandbox.models import Model

_MAX_DEPTH = 32
# A list of one name twice, eight times over, is 256 values in eight lines.
_MAX_WEIGHT = 1 << 20
# Python refuses to print a number of more than 14,000 bits, and JSON holds none above 64.
_MAX_BITS = 4_096


@dataclass(frozen=True)
class Value:
    """A value with its size as if nothing in it were shared."""

    value: Any
    weight: int = 1
    depth: int = 0


class Computed(Exception):
    """Raised at a node that is no plain value."""

    def __init__(self, node: ast.AST, message: str) -> None:
        super().__init__(message)
        self.node = node


class TooLarge(Computed):
    """Raised at a node whose value nests too deep or grows too much."""


def evaluate(node: ast.expr, bound: Mapping[str, Value], depth: int = 0) -> Value:
    """Evaluate constants, containers, signs, sums, f-strings, names bound above and members of enums above.

    Raises Computed.
    """
    if depth > _MAX_DEPTH:
        raise TooLarge(node, f"values are nested deeper than {_MAX_DEPTH}")
    match node:
        case ast.Constant(value=value):
            return Value(_bounded(node, value), _weigh(value))
        case ast.Name(id=name) if name in bound:
            return bound[name]
        case ast.Name(id=name):
            raise Computed(node, f"the name {name} is not bound above")
        case ast.Attribute(value=ast.Attribute() as member, attr="value"):
            return _evaluate_member(member, bound)
        case ast.Attribute():
            return _evaluate_member(node, bound)
        case ast.List(elts=nodes) | ast.Tuple(elts=nodes) | ast.Set(elts=nodes):
            values = [evaluate(each, bound, depth + 1) for each in nodes]
            return _compose(node, lambda: _KINDS[type(node)](each.value for each in values), values, 1)
        case ast.Dict(keys=keys, values=nodes) if all(keys):
            names = [evaluate(each, bound, depth + 1) for each in keys if each]
            values = [evaluate(each, bound, depth + 1) for each in nodes]
            pairs = zip(names, values, strict=True)
            return _compose(node, lambda: {key.value: each.value for key, each in pairs}, names + values, 1)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=int() | float() as number)):
            signed = -number if isinstance(node.op, ast.USub) else number
            return Value(_bounded(node, signed))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            # Not deeper: a sum of strings is one string, however many there are.
            one, other = evaluate(left, bound, depth), evaluate(right, bound, depth)
            return _compose(node, lambda: one.value + other.value, [one, other], 0)
        case ast.JoinedStr(values=nodes):
            values = [_evaluate_part(each, bound) for each in nodes]
            return _compose(node, lambda: "".join(str(each.value) for each in values), values, 0)
    raise Computed(node, f"it has {describe(node)}")


def describe(node: ast.AST) -> str:
    """Name what a node is, in an author's words."""
    return _DESCRIPTIONS.get(type(node), type(node).__name__.lower())


_KINDS: dict[type[ast.AST], Callable[[Any], Any]] = {ast.List: list, ast.Tuple: tuple, ast.Set: set}


def _bounded(node: ast.AST, value: Any) -> Any:
    """Give a value on, unless it is a number that cannot be printed in a message."""
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        raise TooLarge(node, f"a number has more than {_MAX_BITS} bits")
    return value


def _weigh(value: object) -> int:
    if isinstance(value, str | bytes):
        return 1 + len(value)
    return 1 + value.bit_length() // 3 if isinstance(value, int) else 1


def _evaluate_part(node: ast.expr, bound: Mapping[str, Value]) -> Value:
    """Evaluate a part of an f-string: text, or a name in braces without conversion and format."""
    match node:
        case ast.FormattedValue(value=ast.Name() as name, conversion=-1, format_spec=None):
            value = evaluate(name, bound)
            if isinstance(value.value, str | int | float):
                return value
        case ast.Constant():
            return evaluate(node, bound)
    raise Computed(node, "an f-string holds more than names of text and numbers")


def _evaluate_member(node: ast.Attribute, bound: Mapping[str, Value]) -> Value:
    """Read ``Color.RED`` as the value that the class above gives it, which is how JSON has it too."""
    if isinstance(node.value, ast.Name) and node.value.id in bound:
        model = bound[node.value.id].value
        value = model.members.get(node.attr) if isinstance(model, Model) else None
        if isinstance(value, str | int | float):
            return Value(value, _weigh(value))
    raise Computed(node, f"it has {describe(node)} that is no text or number of an Enum above")


def _compose(node: ast.expr, make: Callable[[], Any], parts: list[Value], levels: int) -> Value:
    weight = 1 + sum(part.weight for part in parts)
    depth = levels + max((part.depth for part in parts), default=0)
    if weight > _MAX_WEIGHT or depth > _MAX_DEPTH:
        raise TooLarge(
            node, f"values are nested deeper than {_MAX_DEPTH} or larger than {_MAX_WEIGHT} in all"
        )
    try:
        return Value(_bounded(node, make()), weight, depth)
    except (TypeError, ValueError) as err:
        raise Computed(node, f"Python would say: {err}") from err


_DESCRIPTIONS: dict[type[ast.AST], str] = {
    ast.Call: "a call",
    ast.Attribute: "an attribute",
    ast.Subscript: "an index",
    ast.BinOp: "an operator other than +",
    ast.IfExp: "a conditional",
    ast.If: "a conditional",
    ast.Lambda: "a function",
    ast.FunctionDef: "a function",
    ast.AsyncFunctionDef: "a function",
    ast.Starred: "an unpacked value",
    ast.Dict: "a dict unpacked with **",
    ast.For: "a loop",
    ast.While: "a loop",
    ast.Assign: "an assignment to anything but one name",
    ast.AnnAssign: "a name without a value",
    ast.ImportFrom: "a relative import",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
}
