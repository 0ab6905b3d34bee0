"""C08: annotations that are strings, which libraries evaluate."""

import ast
from collections.abc import Iterator

from extractor_sandbox.finding import Problem, rule
from extractor_sandbox.scopes import Scope, outside_paths
from extractor_sandbox.source import Source

_PLAIN = (
    *(ast.Expression, ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Tuple, ast.List, ast.Starred),
    *(ast.BinOp, ast.BitOr, ast.UnaryOp, ast.USub, ast.expr_context),
)
_TYPING = ("typing", "typing_extensions")
_LITERAL = {f"{module}.Literal" for module in _TYPING}
_ANNOTATED = {f"{module}.Annotated" for module in _TYPING}
_MAKERS = {
    *(f"{module}.{name}" for module in _TYPING for name in ("NamedTuple", "NewType", "TypedDict", "TypeVar")),
    *("pydantic.create_model", "pydantic.TypeAdapter", "dataclasses.make_dataclass"),
}
"""Functions that make types of the strings that they are given."""
_NO_TYPES = (ast.Name, ast.Attribute, ast.Slice, ast.Call, ast.Compare)
_CHANGES = ("update", "setdefault", "__setitem__", "__ior__")
_QUESTIONS = {"getattr", "hasattr", "get"}
_COLLECTIONS = {"list", "dict", "set", "frozenset", "tuple", "type"}


@rule("C08", 'Write names, attributes, subscripts and `|` only: "List[Row]".')
def annotations_are_names(source: Source) -> Iterator[Problem]:
    """Libraries such as pydantic evaluate annotations that are strings. So a string in an annotation parses
    and holds nothing that runs: no calls, lambdas, comprehensions or conditions."""
    texts = _find_assigned_texts(source)
    seen: set[int] = set()
    for annotation, scope in _find_annotations(source):
        if isinstance(annotation, ast.Name):
            for constant in texts.get(annotation.id, ()):
                yield from _judge(source, constant, scope, must_parse=False)
            continue
        for constant in _find_strings(annotation, source, scope, seen):
            yield from _judge(source, constant, scope)
    for subscript, scope in source.scoped(ast.Subscript):
        may_hold_types = not isinstance(subscript.slice, _NO_TYPES) and id(subscript) not in seen
        if may_hold_types and _is_type(subscript.value, scope):
            for constant in _find_strings(subscript, source, scope, seen):
                yield from _judge(source, constant, scope, must_parse=False)
    for call, scope in source.scoped(ast.Call) if _imports_makers(source) else ():
        if not _MAKERS.isdisjoint(outside_paths(call.func, scope)):
            given = [*call.args, *(keyword.value for keyword in call.keywords)]
            names = {each.id for each in given if isinstance(each, ast.Name)}
            given += [value for name, value in _find_named_values(source) if name in names]
            for value in given:
                for constant in _find_strings(value, source, scope, seen):
                    yield from _judge(source, constant, scope, must_parse=False)
    yield from _find_changes(source)


def _imports_makers(source: Source) -> bool:
    imported = {alias.name for statement in source.each(ast.Import) for alias in statement.names}
    for origin in source.each(ast.ImportFrom):
        imported.update(f"{origin.module}.{alias.name}" for alias in origin.names)
    return not imported.isdisjoint(_MAKERS | {maker.partition(".")[0] for maker in _MAKERS})


def _find_annotations(source: Source) -> Iterator[tuple[ast.expr, Scope]]:
    for assignment, scope in source.scoped(ast.AnnAssign):
        yield assignment.annotation, scope
    for kind in (ast.FunctionDef, ast.AsyncFunctionDef):
        for function, scope in source.scoped(kind):
            parameters = function.args  # type: ignore[attr-defined]
            every = (*parameters.posonlyargs, *parameters.args, *parameters.kwonlyargs)
            for parameter in (*every, parameters.vararg, parameters.kwarg):
                if parameter and parameter.annotation:
                    yield parameter.annotation, scope
            if function.returns:  # type: ignore[attr-defined]
                yield function.returns, scope  # type: ignore[attr-defined]


def _find_assigned_texts(source: Source) -> dict[str, list[ast.Constant]]:
    """Find names that stand for strings: as an annotation, such a name is one."""
    texts: dict[str, list[ast.Constant]] = {}
    for target, value, _ in source.assignments:
        match target, value:
            case ast.Name(id=name), ast.Constant(value=str()):
                texts.setdefault(name, []).append(value)
    return texts


def _find_strings(node: ast.expr, source: Source, scope: Scope, seen: set[int]) -> Iterator[ast.Constant]:
    """Find the strings in a type that stand for types themselves."""
    waiting: list[ast.AST] = [node]
    while waiting:
        part = waiting.pop()
        match part:
            case ast.Constant(value=str()):
                yield part
            case ast.JoinedStr() | ast.BinOp(op=ast.Add() | ast.Mod()):
                # What nobody can put together here is as good as no type.
                yield ast.copy_location(ast.Constant(source.texts.fold(part) or ""), part)
            case ast.Subscript(value=owner, slice=inner):
                seen.add(id(part))
                paths = outside_paths(owner, scope)
                if paths and paths <= _LITERAL:
                    continue
                if paths and paths <= _ANNOTATED and isinstance(inner, ast.Tuple):
                    inner = inner.elts[0]
                waiting += [owner, inner]
            case ast.Dict(values=values):
                waiting += values
            case ast.Name() | ast.Attribute() | ast.Call():
                pass  # Judged like all code that is visible.
            case _:
                waiting += ast.iter_child_nodes(part)


def _is_type(node: ast.expr, scope: Scope) -> bool:
    if isinstance(node, ast.Name) and node.id in _COLLECTIONS:
        return True
    return any(path.startswith(("typing.", "typing_extensions.")) for path in outside_paths(node, scope))


def _judge(
    source: Source, constant: ast.Constant, scope: Scope, must_parse: bool = True
) -> Iterator[Problem]:
    try:
        tree = ast.parse(str(constant.value).strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        if must_parse:
            yield source.problem(constant, "a string annotation does not parse")
        return
    fault = _find_fault(tree)
    if fault:
        yield source.problem(constant, f"a string annotation holds {fault}")
        return
    for nested in _find_strings(tree.body, source, scope, set()):
        # What a string within a string holds stands where the outer one does.
        yield from _judge(source, ast.copy_location(nested, constant), scope, must_parse)


def _find_fault(tree: ast.Expression) -> str | None:
    for node in ast.walk(tree):
        name = getattr(node, "attr", getattr(node, "id", ""))
        if not isinstance(node, _PLAIN):
            return f"more than names ({type(node).__name__})"
        if name.startswith("__"):
            return f"the name {name}"
    return None


def _find_changes(source: Source) -> Iterator[Problem]:
    """Find where annotations are written other than as annotations."""
    message = "writes to __annotations__"
    advice = "Annotate the name where it is defined."
    for node in (*_find_written(source), *_find_named(source)):
        yield source.problem(node, message, advice)


def _is_question(function: ast.expr) -> bool:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _QUESTIONS
    return False


def _find_named_values(source: Source) -> Iterator[tuple[str, ast.expr]]:
    """Give all names with what is assigned to them."""
    return ((target.id, value) for target, value, _ in source.assignments if isinstance(target, ast.Name))


def _find_written(source: Source) -> Iterator[ast.expr]:
    yield from (name for name, _ in source.names.get("__annotations__", ()))
    read = source.attributes.get("__annotations__", [])
    yield from (attribute for attribute in read if not isinstance(attribute.ctx, ast.Load))
    if read:
        aliases = {name for name, value in _find_named_values(source) if value in read}
        held = {*read, *(node for name in aliases for node, _ in source.names[name])}
        for subscript in source.each(ast.Subscript):
            if subscript.value in held and not isinstance(subscript.ctx, ast.Load):
                yield subscript
        for change in _CHANGES:
            yield from (node for node in source.attributes.get(change, ()) if node.value in held)


def _find_named(source: Source) -> Iterator[ast.AST]:
    """Find where the name is spelled as a string or a keyword, but to ask for it."""
    yield from (keyword for keyword in source.each(ast.keyword) if keyword.arg == "__annotations__")
    named = [each for each in source.each(ast.Constant) if each.value == "__annotations__"]
    if named:
        calls = source.each(ast.Call)
        asked = {id(each) for call in calls if _is_question(call.func) for each in call.args}
        for comparison in source.each(ast.Compare):
            asked.update(map(id, (comparison.left, *comparison.comparators)))
        yield from (each for each in named if id(each) not in asked)


RULES = (annotations_are_names,)
