"""What one file does with modules: what it reads of them, calls, and passes on.

Only what depends on the other files, or is wrong whatever they hold, is kept, in tuples and lists of plain
values: small enough to have it for all files of an archive when their syntax trees are gone, and the same
whether it comes from this process, from another one, or from an earlier scan.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import NamedTuple

from extractor_sandbox import imports, loaders, reach
from extractor_sandbox.scopes import Link, Ref, Scope, literal_getattr, refer, unmangled
from extractor_sandbox.source import Source

SUSPECTS = frozenset(
    {
        *(reach.HOPS | {f"_{name}" for name in reach.HOPS}),
        *reach.EVERYWHERE,
        *(path.rpartition(".")[2] for path in reach.REFUSED),
    }
)
"""Names that lists know: of something unknown, no other attribute can be of interest."""


class Use(NamedTuple):
    """Something that may be a module's, and what is done with it."""

    link: Link
    line: int
    column: int
    is_value: bool = False
    """Whether it is neither read from nor called: passed, assigned, returned."""
    is_changed: bool = False
    """Whether something other than a constant is assigned to it."""


@dataclass
class Facts:
    """All of it for one file."""

    path: str
    slots: list[list[Link]] = field(default_factory=list)
    """For each name that may be a module's, in any scope, all that is bound to it."""
    names: dict[str, int] = field(default_factory=dict)
    """The slots of the module's own names, which other files import."""
    fields: dict[str, list[Link]] = field(default_factory=dict)
    """What is bound to attributes, by their names."""
    uses: list[Use] = field(default_factory=list)
    calls: list[loaders.LoaderCall] = field(default_factory=list)
    passed: list[Link] = field(default_factory=list)
    """What is used as a value, so that nobody can say where it goes."""
    modules: list[str] = field(default_factory=list)
    """Modules of others that are imported."""

    @property
    def module(self) -> str | None:
        """The module's dotted name; None for one that is never imported."""
        if not self.path.endswith(".py"):
            return None
        *folders, name = self.path.removesuffix(".py").split("/")
        return ".".join(folders if name == "__init__" else [*folders, name])


def gather(source: Source) -> Facts:
    """Collect the facts of a parsed file."""
    gatherer = _Gatherer(source)
    gatherer.gather()
    return gatherer.facts


class _Known(NamedTuple):
    """What a name stands for in this file."""

    paths: tuple[str, ...]
    is_all: bool
    """Whether it stands for those paths and nothing else."""
    slots: tuple[int, ...]


class _Gatherer:
    def __init__(self, source: Source) -> None:
        self._imports = source.imports
        self._scoped = source.scoped
        self._names = source.names
        self._slots = {
            (scope, name): refs for scope in source.scope.opened for name, refs in scope.names.items() if refs
        }
        self._positions = {key: position for position, key in enumerate(self._slots)}
        self._bound = {name for _, name in self._slots}
        self._known: dict[tuple[Scope, str], _Known | None] = {}
        self._seen: set[tuple[Ref, bool, bool]] = set()
        self._passed: set[Ref] = set()
        self._scope = source.scope
        self._fields = source.fields
        self.facts = Facts(source.path)

    def gather(self) -> None:
        self._read_imports()
        calls = self._scoped(ast.Call)
        getattrs = [
            pair for pair in calls if "getattr" in self._names and literal_getattr(pair[0]) is not None
        ]
        attributes = self._scoped(ast.Attribute)
        # What an attribute is read of is judged with the attribute.
        inner = {id(node.value) for node, _ in attributes} | {id(call.args[0]) for call, _ in getattrs}
        harmless = {id(call.func) for call, _ in calls} | self._find_compared()
        bound = self._bound
        for written, found in self._names.items():
            if (plain := unmangled(written)) in bound:
                for name, scope in found:
                    if type(name.ctx) is ast.Load and id(name) not in inner:
                        known = self._know(scope, plain)
                        if known:
                            self._use(Ref(scope, plain), name, known, is_value=id(name) not in harmless)
        for node, scope in (*attributes, *getattrs):
            is_read = True
            if type(node) is ast.Attribute:
                if node.attr not in SUSPECTS and self._is_value(node.value):
                    continue  # Most of all attributes: nothing is known of what they are read of.
                is_read = type(node.ctx) is ast.Load
            if id(node) in inner:
                continue
            is_changed = not is_read and id(node) not in self._constant_targets
            is_value = is_read and id(node) not in harmless
            for ref in refer(node, scope):
                known = self._know(ref.scope, ref.name) if ref.scope else None
                self._use(ref, node, known, is_value, is_changed)
        for pattern, _ in self._scoped(ast.MatchClass):
            for attribute in pattern.kwd_attrs:
                self._use(Ref(None, "", (attribute,)), pattern, None, is_value=True)
        for call, scope in calls:
            if not self._is_value(call.func):
                self._read_call(call, scope)
        self._finish()

    def _is_value(self, node: ast.expr) -> bool:
        """Tell whether it is a name of which nothing is known, without looking far."""
        return type(node) is ast.Name and node.id not in self._bound and "__" not in node.id

    def _finish(self) -> None:
        """Write down what names stand for."""
        facts = self.facts
        facts.slots = [self._link_all(refs) for refs in self._slots.values()]
        facts.names = {name: at for (scope, name), at in self._positions.items() if scope is self._scope}
        facts.fields = {name: self._link_all(refs) for name, refs in self._fields.names.items() if refs}
        facts.passed = sorted(set(self._link_all(self._passed)))

    def _refer(self, scope: Scope, node: ast.expr) -> tuple[Link, ...]:
        return tuple(self._link_all(refer(node, scope)))

    def _link_all(self, refs: Iterable[Ref]) -> list[Link]:
        return [self._link(ref) for ref in refs]

    def _link(self, ref: Ref) -> Link:
        if ref.scope is None:
            return Link((), ref.name, ref.attributes, ref.is_outside)
        known = self._know(ref.scope, ref.name)
        if known is None:
            return Link((), "", ref.attributes, False)
        return Link(known.slots, "", ref.attributes, known.is_all)

    def _know(self, scope: Scope, name: str) -> _Known | None:
        """Tell what a name stands for. None if it is a mere value."""
        key = (scope, name)
        if key not in self._known:
            self._known[key] = self._look_up(scope, name) if name in self._bound else None
        return self._known[key]

    def _look_up(self, scope: Scope, name: str) -> _Known | None:
        homes = list(scope.find(name))
        refs = [ref for home in homes for ref in home.names[name]]
        if not refs:
            return None
        outside = tuple(ref.path for ref in refs if ref.is_outside)
        return _Known(
            outside,
            len(outside) == len(refs) and all(name not in home.assigned for home in homes),
            tuple(self._positions[home, name] for home in homes if home.names[name]),
        )

    def _use(
        self,
        ref: Ref,
        node: ast.expr | ast.pattern | ast.stmt,
        known: _Known | None,
        is_value: bool = False,
        is_changed: bool = False,
    ) -> None:
        """Keep a use unless it is fine whatever the other files hold."""
        if known is None:
            ref = Ref(None, "", ref.attributes)
            keep = len(ref.attributes) > 1 or not SUSPECTS.isdisjoint(ref.attributes)
        else:
            suspect = any(self._is_suspect(path, ref, is_value) for path in known.paths)
            keep = is_changed or not known.is_all or suspect
            if is_value:
                self._passed.update([ref] if not known.is_all else [])
                self._passed.update(Ref(None, path, ref.attributes) for path in known.paths)
        key = (ref, is_value, is_changed)
        if keep and key not in self._seen:
            self._seen.add(key)
            place = (node.lineno, node.col_offset + 1)
            self.facts.uses.append(Use(self._link(ref), *place, is_value, is_changed))

    def _is_suspect(self, path: str, ref: Ref, is_value: bool) -> bool:
        full = ".".join((path, *ref.attributes))
        return self._find_fault(full) is not None or (
            is_value and (full in reach.NO_VALUES or reach.shorten(full) in reach.ONLY_CALLED)
        )

    def _find_fault(self, path: str) -> reach.Fault | None:
        return reach.find_fault(path, path.partition(".")[0] in self._imports.dependencies)

    def _read_imports(self) -> None:
        """Judge what imports name, where no other rule refuses the import."""
        modules: set[str] = set()
        for statement, _ in self._scoped(ast.Import):
            modules.update(alias.name for alias in statement.names)
            for alias in statement.names:
                self._read_import(statement, alias.name, alias.name)
        for origin, _ in self._scoped(ast.ImportFrom):
            if origin.module and not origin.level and not self._imports.owns(origin.module):
                modules.add(origin.module)
                for alias in origin.names:
                    self._read_import(origin, origin.module, f"{origin.module}.{alias.name}")
        self.facts.modules = sorted(modules)

    def _read_import(self, statement: ast.stmt, module: str, path: str) -> None:
        known = self._imports
        is_judged = known.owns(module) or not known.allows(module) or imports.find_forbidden(path)
        if not is_judged and self._find_fault(path):
            link = self._link(Ref(None, path))
            self.facts.uses.append(Use(link, statement.lineno, statement.col_offset + 1))

    def _find_compared(self) -> set[int]:
        """Find what is compared by identity or asked by ``hasattr``: nothing comes of it."""
        found = {
            id(comparison.left)
            for comparison, _ in self._scoped(ast.Compare)
            if isinstance(comparison.ops[0], ast.Is | ast.IsNot)
        }
        for call, _ in self._scoped(ast.Call):
            if type(call.func) is ast.Name and call.func.id == "hasattr" and call.args:
                found.add(id(call.args[0]))
        return found

    @cached_property
    def _constant_targets(self) -> set[int]:
        """What only constants are assigned to."""
        found: set[int] = set()
        for assignment, _ in self._scoped(ast.Assign):
            if is_constant(assignment.value):
                found.update(map(id, assignment.targets))
        found.update(
            id(annotated.target)
            for annotated, _ in self._scoped(ast.AnnAssign)
            if not annotated.value or is_constant(annotated.value)
        )
        found.update(id(each.target) for each, _ in self._scoped(ast.AugAssign) if is_constant(each.value))
        return found

    def _read_call(self, call: ast.Call, scope: Scope) -> None:
        """Keep a call of what may be a loader."""
        function = call.func
        while type(function) is ast.Attribute and function.attr == "__call__":
            function = function.value
        if type(function) is ast.Attribute and function.attr not in loaders.NAMES:
            return
        for ref in refer(function, scope):
            known = self._know(ref.scope, ref.name) if ref.scope else None
            may_load = not known or not known.is_all
            if known and not may_load:
                paths = {reach.shorten(".".join((path, *ref.attributes))) for path in known.paths}
                may_load = not loaders.PATHS.isdisjoint(paths)
            if may_load:
                self.facts.calls.append(loaders.describe(call, self._link(ref), partial(self._refer, scope)))


def is_constant(node: ast.expr) -> bool:
    """Tell whether an expression is made of constants only."""
    match node:
        case ast.Constant():
            return True
        case ast.UnaryOp(operand=operand):
            return is_constant(operand)
        case ast.BinOp(left=left, right=right):
            return is_constant(left) and is_constant(right)
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return all(map(is_constant, elements))
    return False
