"""C06: attributes, and how far they reach."""

import ast
from collections.abc import Iterator

from extractor_sandbox import reach
from extractor_sandbox.finding import Problem, rule
from extractor_sandbox.program import Program
from extractor_sandbox.scopes import Scope, literal_getattr
from extractor_sandbox.source import Source


@rule("C06", "Write the attribute out, or leave it out.")
def attributes_lead_nowhere(source: Source) -> Iterator[Problem]:
    """Attributes do not lead out of what the code was given: no dunder attributes but harmless ones, no
    frames and code objects, no attribute whose name is computed; of `os`, `sys` and `io` what is on a short
    list; no private parts of other people's modules, no module reached through another one (`logging.os`),
    nothing assigned to a module but constants, and `os`, `sys`, `io`, `types`, `operator`, `asyncio` never as
    values. Aliases are followed, also through other files."""
    for name, nodes in source.attributes.items():
        for node in nodes:
            yield from _judge_name(source, node, name)
    for pattern in source.each(ast.MatchClass):
        for name in pattern.kwd_attrs:
            yield from _judge_name(source, pattern, name)
    for statement in source.each(ast.ImportFrom):
        for alias in statement.names:
            if not statement.module or statement.level or source.imports.owns(statement.module):
                yield from _judge_name(source, statement, alias.name)
    yield from _judge_getattr(source)
    yield from _judge_positional_patterns(source)
    yield from _judge_held_modules(source)


@rule("C06", attributes_lead_nowhere.advice)
def modules_keep_to_themselves(program: Program) -> Iterator[Problem]:
    """Attributes do not lead from one module to another."""
    return (problem for fault, problem in program.faults if fault.rule == "C06")


def _judge_name(source: Source, node: ast.AST, name: str) -> Iterator[Problem]:
    if name in reach.FRAMES:
        advice = "Leave it out: it belongs to the interpreter."
        yield source.problem(node, f"uses the attribute {name}", advice)
    elif not name.startswith("__") or not name.endswith("__") or name in reach.DUNDERS:
        return
    elif name not in _CALLED_ONLY or not _is_own_field(source, node):
        yield source.problem(node, f"uses the attribute {name}", _ADVICE.get(name))


_ADVICE = {
    "__dict__": "Use dataclasses.asdict, or a dict of your own.",
    "__setattr__": "Assign to the attribute by name; in a frozen dataclass, "
    'object.__setattr__(self, "name", value) with the name written out.',
    "__mro__": "Use isinstance or issubclass.",
    "__bases__": "Use isinstance or issubclass.",
    "__base__": "Use isinstance or issubclass.",
    "__subclasses__": "Keep a list of your classes.",
}


_GIVEN = frozenset[str]().union(*reach.GIVEN_AWAY.values())
_CALLED_ONLY = {"__setattr__", "__getattr__"}


def _is_own_field(source: Source, node: ast.AST) -> bool:
    """Tell whether it is ``object.__setattr__(self, "name", value)``, which frozen dataclasses need, or
    ``super().__getattr__(name)``, which wrappers of models do: attributes that the object has are not asked
    for so."""
    for call in source.each(ast.Call):
        if call.func is node:
            match call:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="object")),
                    args=[ast.Name(id="self"), ast.Constant(value=str(field)), _],
                    keywords=[],
                ):
                    return not field.startswith("__")
                case ast.Call(
                    func=ast.Attribute(
                        value=ast.Call(func=ast.Name(id="super"), args=[]), attr="__getattr__"
                    ),
                    args=[ast.Name()],
                    keywords=[],
                ):
                    return True
    return False


def _judge_getattr(source: Source) -> Iterator[Problem]:
    for name in ("getattr", "hasattr"):
        if any(name in scope.names for scope in source.scope.opened):
            yield Problem(f"gives {name} another meaning", source.path, advice="Choose another name.")
    literal = set()
    for call in source.each(ast.Call) if "getattr" in source.names else ():
        attribute = literal_getattr(call)
        if attribute is not None:
            literal.add(id(call.func))
            yield from _judge_name(source, call, attribute)
    for node, _ in source.names.get("getattr", ()):
        if id(node) not in literal and isinstance(node.ctx, ast.Load):
            advice = 'Write getattr(x, "name") with the name as a literal, or keep the choices in a dict.'
            yield source.problem(node, "uses getattr with a name that is computed", advice)


def _judge_held_modules(source: Source) -> Iterator[Problem]:
    """Judge modules that objects hold (``Path().parser.os.system``): what is read of them gives them away."""
    if _GIVEN.isdisjoint(source.attributes):
        return
    for node, scope in source.scoped(ast.Attribute):
        if node.attr not in _GIVEN:
            continue
        held = node.value
        if isinstance(held, ast.Attribute):
            names = {held.attr} if not _is_imported(held, scope) else set()
        elif isinstance(held, ast.Name) and not scope.is_imported(held.id):
            names = {ref.attributes[-1] for ref in scope.look_up(held.id) if not ref.name and ref.attributes}
        else:
            continue
        for module in sorted(names & reach.GIVEN_AWAY.keys()):
            if node.attr in reach.GIVEN_AWAY[module]:
                message = f"reads {module}.{node.attr} of an object that may hold the module"
                yield source.problem(node, message, "Import what you need by name, where it is allowed.")


def _is_imported(node: ast.expr, scope: Scope) -> bool:
    """Tell whether an attribute is read of a module: then it is judged by its path."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and scope.is_imported(node.id)


def _judge_positional_patterns(source: Source) -> Iterator[Problem]:
    """Judge what ``case X(y)`` reads: it is ``__match_args__`` that says."""
    written_out = set()
    for assignment in source.each(ast.Assign) if "__match_args__" in source.names else ():
        match assignment:
            case ast.Assign(
                targets=[ast.Name(id="__match_args__") as target],
                value=ast.Tuple(elts=names) | ast.List(elts=names),
            ):
                written_out.add(id(target))
                for name in names:
                    if isinstance(name, ast.Constant) and isinstance(name.value, str):
                        yield from _judge_name(source, name, name.value)
                    else:
                        written_out.discard(id(target))
    computed = "computes __match_args__, by which patterns read attributes"
    for target, _ in source.names.get("__match_args__", ()):
        if id(target) not in written_out:
            yield source.problem(target, computed, "Write the names out.")
    for constant in source.each(ast.Constant):
        if constant.value == "__match_args__":
            yield source.problem(constant, computed, "Assign it in the body of a class.")


RULES = (attributes_lead_nowhere,)
ARCHIVE_RULES = (modules_keep_to_themselves,)
