"""What a name of a file may stand for, symbolically: the other files are not known yet.

Flow plays no part: a name stands for everything that is ever bound to it in its scope, so that no order of
statements, no branch and no loop hides anything.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

OWN = ":"
"""Begins the paths of the archive's own modules; those of others are as they are."""


class Ref(NamedTuple):
    """A name and the attributes that are read of it."""

    scope: "Scope | None"
    """Where the name is looked up; None for the path of a module."""
    name: str
    """Empty where nothing is known: the result of a call, say."""
    attributes: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The dotted path, where the name is one."""
        return ".".join((self.name, *self.attributes))

    @property
    def is_outside(self) -> bool:
        """Tell whether it is a path that does not depend on the archive's files."""
        return self.scope is None and bool(self.name) and not self.name.startswith(OWN)


class Link(NamedTuple):
    """A name and the attributes that are read of it, when all names of its file are bound."""

    slots: tuple[int, ...]
    """What the name is bound to: positions in the file's slots."""
    name: str
    """The path of a module, where it is one; empty where nothing is known."""
    attributes: tuple[str, ...]
    is_certain: bool
    """Whether it stands for modules of others and nothing else."""

    @property
    def is_fixed(self) -> bool:
        """Tell whether it is one path, which depends on nothing."""
        return self.is_certain and not self.slots

    @property
    def path(self) -> str:
        """The dotted path, where it is one."""
        return ".".join((self.name, *self.attributes))


@dataclass(eq=False, slots=True)
class Scope:
    """A module, a class, a function or a comprehension."""

    parent: "Scope | None" = None
    is_class: bool = False
    is_comprehension: bool = False
    names: dict[str, list[Ref]] = field(default_factory=dict)
    """What is bound to each name, as far as it may be a module's."""
    assigned: set[str] = field(default_factory=set)
    """Names that may be something else as well: all that are bound by anything but an import."""
    elsewhere: dict[str, "Scope"] = field(default_factory=dict)
    """Names that are declared global or nonlocal."""
    opened: list["Scope"] = field(default_factory=list)
    """All scopes of the file, the module's first."""

    def __post_init__(self) -> None:
        if self.parent:
            self.opened = self.parent.opened
        self.opened.append(self)

    @property
    def function(self) -> "Scope":
        """The scope that ``:=`` binds in."""
        return self.parent.function if self.parent and self.is_comprehension else self

    def bind(self, name: str, refs: Iterable[Ref] = ()) -> None:
        """Let a name stand for more."""
        if "__" in name:
            name = unmangled(name)
        scope = self.elsewhere.get(name, self) if self.elsewhere else self
        if name in scope.names:
            scope.names[name].extend(refs)
        else:
            scope.names[name] = [*refs]

    def assign(self, name: str, refs: Iterable[Ref] = ()) -> None:
        """Let a name stand for more, or for something unknown."""
        self.bind(name, refs)
        if "__" in name:
            name = unmangled(name)
        scope = self.elsewhere.get(name, self) if self.elsewhere else self
        scope.assigned.add(name)

    def find(self, name: str) -> Iterator["Scope"]:
        """Find the scopes whose binding an unmangled name may mean: after a class, also those around it."""
        scope: Scope | None = self
        while scope:
            if name in scope.elsewhere:
                scope = scope.elsewhere[name]
                continue
            if name in scope.names:
                yield scope
                if not scope.is_class:
                    return
            scope = scope.parent

    def is_imported(self, name: str) -> bool:
        """Tell whether an unmangled name stands for nothing but what is imported from outside."""
        is_bound = False
        for home in self.find(name):
            if name in home.assigned or not all(ref.is_outside for ref in home.names[name]):
                return False
            is_bound = True
        return is_bound

    def look_up(self, name: str) -> list[Ref]:
        """Give all that an unmangled name is bound to in this file."""
        return [ref for scope in self.find(name) for ref in scope.names[name]]


def unmangled(name: str) -> str:
    """Spell a private name as in its class: Python makes ``_Class__name`` of ``__name`` there."""
    if "__" in name and name.startswith("_") and not name.endswith("__"):
        return f"__{name.rpartition('__')[2]}"
    return name


def refer(node: ast.expr | None, scope: Scope) -> tuple[Ref, ...]:
    """Say what an expression may be, as far as names and attributes tell; nothing if they tell nothing."""
    attributes: list[str] = []
    while True:
        if type(node) is ast.Attribute:
            attributes.append(node.attr)
            node = node.value
        elif type(node) is ast.Call and (attribute := literal_getattr(node)) is not None:
            attributes.append(attribute)
            node = node.args[0]
        else:
            break
    attributes.reverse()
    if type(node) is ast.Name:
        return (Ref(scope, unmangled(node.id), tuple(attributes)),)
    choices: list[ast.expr]
    match node:
        case ast.IfExp(body=one, orelse=other):
            choices = [one, other]
        case ast.BoolOp(values=choices):
            pass
        case ast.NamedExpr(value=one):
            choices = [one]
        case _:
            return (Ref(None, "", tuple(attributes)),) if attributes else ()
    refs = (ref for each in choices for ref in refer(each, scope))
    return tuple(Ref(ref.scope, ref.name, (*ref.attributes, *attributes)) for ref in refs)


def outside_paths(node: ast.expr, scope: Scope) -> set[str]:
    """Give the paths of others' modules that an expression may stand for, as far as this file tells."""
    paths: set[str] = set()
    for ref in refer(node, scope):
        bound = ref.scope.look_up(ref.name) if ref.scope else []
        paths.update(".".join((each.path, *ref.attributes)) for each in bound if each.is_outside)
    return paths


def literal_getattr(call: ast.Call) -> str | None:
    """Give the attribute that ``getattr(x, "attribute")`` reads, with or without a default."""
    if type(call.func) is not ast.Name or call.func.id != "getattr":
        return None
    starred = any(isinstance(each, ast.Starred) for each in call.args)
    if starred or call.keywords or not 2 <= len(call.args) <= 3:
        return None
    match call.args[1]:
        case ast.Constant(value=str(attribute)):
            return attribute
    return None


def open_scope(node: ast.AST, outer: Scope) -> list[tuple[ast.AST, Scope]]:
    """Give the children of a node that opens a scope, each with the scope that it is evaluated in."""
    outside: list[ast.AST]
    inside: list[ast.AST] = list(getattr(node, "type_params", ()))
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            inner = Scope(outer)
            outside = [*node.decorator_list, *_bind_parameters(node.args, inner, outer)]
            outside += [node.returns] if node.returns else []
            inside += node.body
        case ast.Lambda():
            inner = Scope(outer)
            outside = [*_bind_parameters(node.args, inner, outer)]
            inside += [node.body]
        case ast.ClassDef():
            inner = Scope(outer, is_class=True)
            outside = [*node.decorator_list, *node.bases, *node.keywords]
            inside += node.body
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            inner = Scope(outer, is_comprehension=True)
            first, *rest = node.generators
            bind_loop(first.target, first.iter, inner, outer)
            outside = [first.iter]
            inside += [first.target, *first.ifs, *rest]
            inside += [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        case _:
            raise TypeError(f"{type(node).__name__} opens no scope")
    return [(each, outer) for each in outside] + [(each, inner) for each in inside]


def bind_loop(target: ast.expr, iterable: ast.expr, inner: Scope, outer: Scope) -> None:
    """Bind the target of a loop to each element of a list that is written out."""
    if isinstance(iterable, ast.Tuple | ast.List | ast.Set) and isinstance(target, ast.Name):
        for element in iterable.elts:
            inner.assign(target.id, refer(element, outer))


def _bind_parameters(arguments: ast.arguments, inner: Scope, outer: Scope) -> list[ast.expr]:
    """Bind parameters to their defaults, and give what is evaluated where the function is defined."""
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    defaults = [*arguments.defaults, *arguments.kw_defaults]
    required = len(parameters) - len(defaults)
    for parameter in parameters[:required]:
        inner.assign(parameter.arg)
    for parameter, default in zip(parameters[required:], defaults, strict=True):
        inner.assign(parameter.arg, refer(default, outer))
    for parameter in filter(None, (arguments.vararg, arguments.kwarg)):
        inner.assign(parameter.arg)
        parameters.append(parameter)
    annotations = (parameter.annotation for parameter in parameters)
    return [each for each in (*annotations, *defaults) if each]
