"""C09: strings that pandas and PIL run as code."""

import ast
from collections.abc import Iterator

from extractor_sandbox.finding import Problem, rule
from extractor_sandbox.program import Program
from extractor_sandbox.scopes import literal_getattr
from extractor_sandbox.source import Source

_VERBS = {"eval", "query"}
_SUSPICIOUS = ("@", "__", "(")
_CALLERS = {"map", "starmap", "partial", "pipe", "submit", "to_thread", "run_in_executor"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@rule("C09", "Compare columns by name and number in it, or compute with pandas' own operators.")
def expressions_are_plain(source: Source) -> Iterator[Problem]:
    """pandas runs the strings that are given to `eval` and `query` as code. They hold names and operators: no
    `@`, no `__`, no calls. `pandas.eval` and PIL's ImageMath are refused as a whole."""
    if _VERBS.isdisjoint(source.attributes) and "getattr" not in source.names:
        return
    verbs = _find_verbs(source)
    calls = [call for call in source.each(ast.Call) if any(_is_verb(each, verbs) for each in _called(call))]
    if not calls:
        return
    assigned = _find_assigned(source)
    for call in calls:
        for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
            if any(map(_is_suspicious, _find_texts(argument, source, assigned))):
                yield source.problem(argument, "an expression for eval or query holds @, __ or (")


@rule("C09", expressions_are_plain.advice)
def evaluators_are_left_alone(program: Program) -> Iterator[Problem]:
    """Functions that evaluate strings are not used."""
    return (problem for fault, problem in program.faults if fault.rule == "C09")


def _called(call: ast.Call) -> Iterator[ast.expr]:
    """Give what a call calls, itself or through what it hands it to: ``map(frame.query, texts)``."""
    yield call.func
    if getattr(call.func, "attr", getattr(call.func, "id", None)) in _CALLERS:
        yield from call.args


def _is_verb(node: ast.expr, verbs: set[str]) -> bool:
    match node:
        case ast.Attribute(attr=name):
            return name in _VERBS
        case ast.Name(id=name):
            return name in verbs
        case ast.Call():
            return literal_getattr(node) in _VERBS
    return False


def _find_verbs(source: Source) -> set[str]:
    """Find names that stand for ``frame.query``."""
    return {
        target.id
        for target, value, _ in source.assignments
        if isinstance(target, ast.Name) and _is_verb(value, set())
    }


def _find_assigned(source: Source) -> dict[str, list[str]]:
    """Find the strings that names and attributes may stand for, or hold."""
    assigned: dict[str, list[str]] = {}
    for target, value in _bindings(source):
        # What a call makes of its strings is its own.
        texts = () if isinstance(value, ast.Call) else tuple(_constants(value))
        for name in _names(target) if texts else ():
            assigned.setdefault(name, []).extend(texts)
    for kind in (*_FUNCTIONS, ast.Lambda):
        for function in source.each(kind):
            for name, value in _results(function):
                assigned.setdefault(name, []).extend(_constants(value))
    return assigned


def _bindings(source: Source) -> Iterator[tuple[ast.expr, ast.expr]]:
    yield from ((target, value) for target, value, _ in source.assignments)
    yield from ((node.target, node.value) for node in source.each(ast.NamedExpr))
    yield from ((node.target, node.value) for node in source.each(ast.AugAssign))
    yield from ((node.target, node.iter) for node in source.each(ast.For))
    yield from ((node.target, node.iter) for node in source.each(ast.AsyncFor))
    for kind in (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp):
        for node in source.each(kind):
            yield from ((each.target, each.iter) for each in node.generators)  # type: ignore[attr-defined]


def _results(function: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Give a function's parameters with their defaults, and its name with what it returns."""
    arguments: ast.arguments = function.args  # type: ignore[attr-defined]
    parameters = [*arguments.posonlyargs, *arguments.args]
    defaults = zip(reversed(parameters), reversed(arguments.defaults), strict=False)
    for parameter, default in (*defaults, *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)):
        if default:
            yield parameter.arg, default
    if isinstance(function, _FUNCTIONS):
        for node in ast.walk(function):
            if isinstance(node, ast.Return) and node.value and not isinstance(node.value, ast.Call):
                yield function.name, node.value


def _names(target: ast.expr) -> Iterator[str]:
    for node in ast.walk(target):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) if not isinstance(node.ctx, ast.Load):
                yield name


def _constants(node: ast.expr) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _find_texts(argument: ast.expr, source: Source, assigned: dict[str, list[str]]) -> Iterator[str]:
    """Give all strings that an argument is made of, as far as they can be seen."""
    yield from filter(None, [source.texts.fold(argument)])
    for node in ast.walk(argument):
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.Name(id=name) | ast.Attribute(attr=name):
                yield from assigned.get(name, ())


def _is_suspicious(text: str) -> bool:
    return any(mark in text for mark in _SUSPICIOUS)


RULES = (expressions_are_plain,)
ARCHIVE_RULES = (evaluators_are_left_alone,)
