"""What one file does with modules: what it reads of them, calls, and passes on.

Only what depends on the other files, or is wrong whatever they hold, is kept: small enough to have it for all
files of an archive, when their syntax trees are gone.
"""

import ast
from dataclasses import dataclass, field

from extractor_sandbox import imports, loaders, reach
from extractor_sandbox.scopes import Ref, Scope, literal_getattr, refer, unmangled
from extractor_sandbox.source import Source

SUSPECTS = frozenset(
    {
        *(reach.HOPS | {f"_{name}" for name in reach.HOPS}),
        *reach.EVERYWHERE,
        *(path.rpartition(".")[2] for path in reach.REFUSED),
    }
)
"""Names that lists know: of something unknown, no other attribute can be of interest."""
_Known = tuple[tuple[str, ...], bool]


@dataclass(frozen=True, slots=True)
class Use:
    """Something that may be a module's, and what is done with it."""

    ref: Ref
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
    scope: Scope
    fields: Scope
    """What is bound to attributes, by their names."""
    uses: list[Use] = field(default_factory=list)
    calls: list[loaders.LoaderCall] = field(default_factory=list)
    passed: set[Ref] = field(default_factory=set)
    """What is used as a value, so that nobody can say where it goes."""
    modules: set[str] = field(default_factory=set)
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
    facts = Facts(source.path, source.scope, source.fields)
    _Gatherer(source, facts).gather()
    return facts


class _Gatherer:
    def __init__(self, source: Source, facts: Facts) -> None:
        self._imports = source.imports
        self._scoped = source.scoped
        self._facts = facts
        self._known: dict[tuple[Scope, str], _Known | None] = {}
        self._seen: set[tuple[Ref, bool, bool]] = set()

    def gather(self) -> None:
        self._read_imports()
        calls = self._scoped(ast.Call)
        getattrs = [(call, scope) for call, scope in calls if literal_getattr(call) is not None]
        attributes = self._scoped(ast.Attribute)
        # What an attribute is read of is judged with the attribute.
        inner = {id(node.value) for node, _ in attributes} | {id(call.args[0]) for call, _ in getattrs}
        harmless = {id(call.func) for call, _ in calls} | self._find_compared()
        constant = self._find_constant_targets()
        bound = {name for scope in self._facts.scope.opened for name, refs in scope.names.items() if refs}
        for name, scope in self._scoped(ast.Name):
            if unmangled(name.id) in bound and type(name.ctx) is ast.Load and id(name) not in inner:
                ref = Ref(scope, unmangled(name.id))
                known = self._know(scope, ref.name)
                if known:
                    self._use(ref, name, known, is_value=id(name) not in harmless)
        for node, scope in (*attributes, *getattrs):
            if id(node) not in inner:
                is_read = not isinstance(node, ast.Attribute) or type(node.ctx) is ast.Load
                is_changed = not is_read and id(node) not in constant
                is_value = is_read and id(node) not in harmless
                for ref in refer(node, scope):
                    known = self._know(ref.scope, ref.name) if ref.scope else None
                    self._use(ref, node, known, is_value, is_changed)
        for pattern, _ in self._scoped(ast.MatchClass):
            for attribute in pattern.kwd_attrs:
                self._use(Ref(None, "", (attribute,)), pattern, None, is_value=True)
        for call, scope in calls:
            self._read_call(call, scope)

    def _know(self, scope: Scope, name: str) -> _Known | None:
        """Tell what a name stands for: paths, and whether that is all. None if it is a mere value."""
        key = (scope, name)
        if key not in self._known:
            refs = scope.look_up(name)
            outside = tuple(ref.path for ref in refs if ref.is_outside)
            self._known[key] = (outside, scope.is_imported(name)) if refs else None
        return self._known[key]

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
            paths, is_all = known
            keep = is_changed or not is_all or any(self._is_suspect(path, ref, is_value) for path in paths)
            if is_value:
                self._facts.passed.update([ref] if not is_all else [])
                self._facts.passed.update(Ref(None, path, ref.attributes) for path in paths)
        key = (ref, is_value, is_changed)
        if keep and key not in self._seen:
            self._seen.add(key)
            self._facts.uses.append(Use(ref, node.lineno, node.col_offset + 1, is_value, is_changed))

    def _is_suspect(self, path: str, ref: Ref, is_value: bool) -> bool:
        full = ".".join((path, *ref.attributes))
        return self._find_fault(full) is not None or (
            is_value and (full in reach.NO_VALUES or reach.shorten(full) in reach.ONLY_CALLED)
        )

    def _find_fault(self, path: str) -> reach.Fault | None:
        return reach.find_fault(path, path.partition(".")[0] in self._imports.dependencies)

    def _read_imports(self) -> None:
        """Judge what imports name, where no other rule refuses the import."""
        for statement, _ in self._scoped(ast.Import):
            self._facts.modules.update(alias.name for alias in statement.names)
            for alias in statement.names:
                self._read_import(statement, alias.name, alias.name)
        for origin, _ in self._scoped(ast.ImportFrom):
            if origin.module and not origin.level and not self._imports.owns(origin.module):
                self._facts.modules.add(origin.module)
                for alias in origin.names:
                    self._read_import(origin, origin.module, f"{origin.module}.{alias.name}")

    def _read_import(self, statement: ast.stmt, module: str, path: str) -> None:
        known = self._imports
        is_judged = known.owns(module) or not known.allows(module) or imports.find_forbidden(path)
        if not is_judged and self._find_fault(path):
            use = Use(Ref(None, path), statement.lineno, statement.col_offset + 1)
            self._facts.uses.append(use)

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

    def _find_constant_targets(self) -> set[int]:
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
        if isinstance(function, ast.Attribute) and function.attr not in loaders.NAMES:
            return
        for ref in refer(function, scope):
            known = self._know(ref.scope, ref.name) if ref.scope else None
            if known:
                paths = {reach.shorten(".".join((path, *ref.attributes))) for path in known[0]}
                may_load = not known[1] or not loaders.PATHS.isdisjoint(paths)
            else:
                may_load = len(ref.attributes) > 1
            if may_load:
                self._facts.calls.append(loaders.describe(call, scope, ref))


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
