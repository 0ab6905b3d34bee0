"""Let every name of a file stand for what is bound to it, before anything is read of it."""

import ast
from typing import TYPE_CHECKING

from extractor_sandbox import imports
from extractor_sandbox.scopes import OWN, Ref, Scope, bind_loop, refer, unmangled

if TYPE_CHECKING:
    from extractor_sandbox.source import Source

_NAMING: tuple[type[ast.AST], ...] = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler),
    *(ast.MatchAs, ast.MatchStar),
)


def bind(source: "Source") -> None:
    """Fill the scopes of a parsed file, and its fields."""
    _declare(source)
    own = _bind_walruses(source)
    for name, scope in source.scoped(ast.Name):
        if type(name.ctx) is not ast.Load and id(name) not in own:
            scope.assign(name.id)
    for kind in _NAMING:
        for node, scope in source.scoped(kind):
            if named := getattr(node, "name", None):
                scope.assign(named)
    _bind_imports(source)
    _bind_patterns(source)
    _bind_assignments(source)
    for scope in source.scope.opened:
        if scope.is_class:
            for named, refs in scope.names.items():
                source.fields.bind(named, refs)


def _declare(source: "Source") -> None:
    for kind in (ast.Global, ast.Nonlocal):
        for declaration, scope in source.scoped(kind):
            home = source.scope if kind is ast.Global else scope.parent
            if home and home is not scope:
                names = declaration.names  # type: ignore[attr-defined]
                scope.elsewhere.update((unmangled(name), home) for name in names)


def _bind_walruses(source: "Source") -> set[int]:
    """Bind the targets of ``:=``, which lie in a comprehension and bind outside of it; name those nodes."""
    targets = set()
    for walrus, scope in source.scoped(ast.NamedExpr):
        scope.function.assign(walrus.target.id, refer(walrus.value, scope))
        targets.add(id(walrus.target))
    return targets


def _bind_imports(source: "Source") -> None:
    for statement, scope in source.scoped(ast.Import):
        for alias in statement.names:
            is_own = source.imports.owns(alias.name)
            path = OWN + source.imports.from_root(alias.name) if is_own else alias.name
            root = alias.name.partition(".")[0]
            if not alias.asname:
                path = OWN + source.imports.from_root(root) if is_own else root
            scope.bind(alias.asname or root, [Ref(None, path)])
    for origin, scope in source.scoped(ast.ImportFrom):
        module = imports.resolve(source.path, origin.module, origin.level)
        if module is None:
            continue
        if origin.level or source.imports.owns(module):
            module = OWN + source.imports.from_root(module)
        for alias in origin.names:
            scope.bind(alias.asname or alias.name, [Ref(None, module, (alias.name,))])


def _bind_patterns(source: "Source") -> None:
    for pattern, scope in source.scoped(ast.MatchClass):
        for attribute, part in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
            if isinstance(part, ast.MatchAs) and part.name:
                scope.assign(part.name, [Ref(None, "", (attribute,))])
    for mapping, scope in source.scoped(ast.MatchMapping):
        if mapping.rest:
            scope.assign(mapping.rest)


def _bind_assignments(source: "Source") -> None:
    for target, value, scope in source.assignments:
        _bind_target(target, value, scope, source.fields)
    for kind in (ast.For, ast.AsyncFor, ast.comprehension):
        for loop, scope in source.scoped(kind):
            bind_loop(loop.target, loop.iter, scope, scope)  # type: ignore[attr-defined]


def _bind_target(target: ast.expr, value: ast.expr, scope: Scope, fields: Scope) -> None:
    match target, value:
        case ast.Name(id=name), _:
            scope.assign(name, refer(value, scope))
        case ast.Attribute(attr=attribute), _:
            fields.bind(attribute, refer(value, scope))
        case (
            (ast.Tuple(elts=targets) | ast.List(elts=targets)),
            (ast.Tuple(elts=values) | ast.List(elts=values)),
        ):
            starred = any(isinstance(each, ast.Starred) for each in (*targets, *values))
            if not starred and len(targets) == len(values):
                for each, part in zip(targets, values, strict=True):
                    _bind_target(each, part, scope, fields)
