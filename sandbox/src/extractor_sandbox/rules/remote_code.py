"""C11: models whose code would be fetched and run."""

import ast
from collections.abc import Iterator

from extractor_sandbox.finding import Problem, rule
from extractor_sandbox.program import Program
from extractor_sandbox.rules import flags
from extractor_sandbox.scopes import Scope, outside_paths
from extractor_sandbox.source import Source

_FLAG = "trust_remote_code"
_MODELS = {
    *("from_pretrained", "from_config"),
    *("SentenceTransformer", "CrossEncoder", "SparseEncoder"),
}
"""What takes the flag, as transformers.pipeline does: many others have that name."""
_PARSERS = {
    *("json.loads", "json.load", "yaml.safe_load", "yaml.load", "ast.literal_eval"),
    *("json.decoder.JSONDecoder", "json.JSONDecoder"),
}


@rule("C11", "Write trust_remote_code=False, or leave it out: use a model whose code is part of the library.")
def remote_code_is_not_trusted(source: Source) -> Iterator[Problem]:
    """A model's own code would be fetched and run, which nobody has scanned: `trust_remote_code` is literally
    False wherever it is named, as a keyword, in a dict or as a field, and beside arguments that are read from
    data (`**json.loads(text)`), which could name it."""
    yield from flags.judge(source, {_FLAG: False})
    for target, value, scope in source.assignments:
        name = target.id if isinstance(target, ast.Name) and scope.is_class else getattr(target, "attr", None)
        if name == _FLAG and not _is_off(value):
            yield source.problem(target, "the field trust_remote_code is not literally False")
    yield from _judge_parsed(source)


@rule("C11", remote_code_is_not_trusted.advice)
def remote_code_is_not_loaded(program: Program) -> Iterator[Problem]:
    """What loads remote code is not used."""
    return (problem for fault, problem in program.faults if fault.rule == "C11")


def _is_off(value: ast.expr) -> bool:
    """Tell whether a field is False, written out or as a default: ``Field(default=False)``."""
    match value:
        case ast.Call(func=ast.Name(id="Field" | "field"), args=[default]):
            return flags.is_literally(default, False)
        case ast.Call(func=ast.Name(id="Field" | "field"), args=[], keywords=keywords):
            return any(each.arg == "default" and flags.is_literally(each.value, False) for each in keywords)
    return flags.is_literally(value, False)


def _judge_parsed(source: Source) -> Iterator[Problem]:
    """Judge arguments that come out of a file or a text: nobody sees which they are."""
    known = source.names.keys() | source.attributes.keys()
    if known.isdisjoint(_MODELS | {"pipeline"}):
        return
    parsed, loaders = _Parsed(source), _MODELS | _find_wrappers(source)
    for call, scope in source.scoped(ast.Call):
        is_pipeline = "transformers.pipeline" in outside_paths(call.func, scope)
        if (is_pipeline or _loads(call, loaders)) and all(keyword.arg != _FLAG for keyword in call.keywords):
            for keyword in call.keywords:
                if not keyword.arg and parsed.holds(keyword.value, scope):
                    message = "a model is loaded with arguments that are read from data"
                    yield source.problem(keyword, message, f"Write {_FLAG}=False beside them.")


def _loads(call: ast.Call, loaders: set[str]) -> bool:
    """Tell whether a call loads a model, itself or through what it hands the loader to."""
    return any(_last_name(each) in loaders for each in (call.func, *call.args))


def _find_wrappers(source: Source) -> set[str]:
    """Find functions that hand their own ``**options`` on to what loads models."""
    return {
        function.name
        for function in _functions(source)
        if (options := function.args.kwarg)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and _loads(call, _MODELS)
        for keyword in call.keywords
        if not keyword.arg and _last_name(keyword.value) == options.arg
    }


def _functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from source.each(ast.FunctionDef)
    yield from source.each(ast.AsyncFunctionDef)


class _Parsed:
    """What a file parses out of texts, and the names that it gives to it."""

    def __init__(self, source: Source) -> None:
        self._names: set[str] = set()
        bound = list(_bindings(source))
        before = -1
        while len(self._names) > before:
            before = len(self._names)
            self._names |= {name for name, value, scope in bound if name and self.holds(value, scope)}

    def holds(self, node: ast.expr, scope: Scope) -> bool:
        """Tell whether an expression is a mapping that was parsed, or part of it is."""
        waiting = [node]
        while waiting:
            match part := waiting.pop():
                case ast.Name() | ast.Attribute() if _last_name(part) in self._names:
                    return True
                case ast.Call(func=function) if _parses(function, scope):
                    return True
                case ast.Call(func=ast.Name(id="dict") | ast.Attribute(attr="copy" | "deepcopy")):
                    waiting += [
                        part.func,
                        *part.args,
                        *(each.value for each in part.keywords if not each.arg),
                    ]
                case ast.Dict(keys=keys, values=values):
                    # Keys that are written out are seen.
                    waiting += [key or value for key, value in zip(keys, values, strict=True)]
                case ast.Call(func=inner) | ast.Attribute(value=inner) | ast.Subscript(value=inner):
                    waiting.append(inner)
                case ast.NamedExpr(value=inner) | ast.Await(value=inner) | ast.Starred(value=inner):
                    waiting.append(inner)
                case ast.BinOp(left=one, right=other) | ast.IfExp(body=one, orelse=other):
                    waiting += [one, other]
                case ast.BoolOp(values=values):
                    waiting += values
                case ast.DictComp(generators=generators):
                    waiting += [each.iter for each in generators]
        return False


def _parses(function: ast.expr, scope: Scope) -> bool:
    if isinstance(function, ast.Attribute) and function.attr == "json":
        return True
    return not _PARSERS.isdisjoint(outside_paths(function, scope))


def _bindings(source: Source) -> Iterator[tuple[str | None, ast.expr, Scope]]:
    """Give names with what is assigned to them, added to them or returned by them."""
    for target, value, scope in source.assignments:
        # What is kept under a key that is written out is seen.
        if not (isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant)):
            yield _last_name(target), value, scope
    yield from ((node.target.id, node.value, scope) for node, scope in source.scoped(ast.NamedExpr))
    yield from ((_last_name(node.target), node.value, scope) for node, scope in source.scoped(ast.AugAssign))
    yield from ((_last_name(node.target), node.iter, scope) for node, scope in source.scoped(ast.For))
    for call, scope in source.scoped(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "update":
            yield from ((_last_name(call.func.value), value, scope) for value in call.args)
    scopes = {id(node): scope for node, scope in source.scoped(ast.Return)}
    for function in _functions(source):
        for node in ast.walk(function):
            if isinstance(node, ast.Return) and node.value:
                yield function.name, node.value, scopes[id(node)]


def _last_name(node: ast.expr) -> str | None:
    while isinstance(node, ast.Subscript):
        node = node.value
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None


RULES = (remote_code_is_not_trusted,)
ARCHIVE_RULES = (remote_code_is_not_loaded,)
