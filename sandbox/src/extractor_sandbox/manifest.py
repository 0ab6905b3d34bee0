"""Read ``manifest.py`` without running it: plain values are evaluated, classes are described.

Whatever computes is a problem with a line. What is left is a set of names, of which `Manifest.from_names`
makes one model.
"""

import ast
import types
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from extractor_sandbox import limits, schema
from extractor_sandbox.finding import Problem
from extractor_sandbox.literals import Computed, TooLarge, Value, describe, evaluate
from extractor_sandbox.models import JsonObject, Model, ModelField, Scope, to_json

PATH = "manifest.py"
FIELDS = {
    *("feature_extractor_name", "name", "version", "description", "category", "icon", "author"),
    *("inference_type", "features", "input_schema", "output_schema", "parameter_schema", "feature_uri"),
    *("supported_input_types", "input_mappings", "dependencies", "compute_profile", "serve_config"),
    *("cost_rates", "container_image", "required_vector_indexes", "tier", "tier_label"),
    *("example_input", "example_output"),
}
"""Names that mean something; all others are the author's own."""

# Ten times what a manifest of the largest size holds, if nothing in it refers to something else.
_MAX_WEIGHT = 10 * limits.MANIFEST_BYTES
_MODULES = {"__future__", "typing", "typing_extensions", "pydantic", "enum"}
_BUILTIN_TYPES = {each.__name__: each for each in (list, dict, set, tuple, str, int, float, bool)}
_CALLS = {"pydantic.Field", "pydantic.fields.Field", "pydantic.ConfigDict", "pydantic.config.ConfigDict"}
_ANNOTATION_PARTS = (
    *(ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.List, ast.Constant, ast.expr_context),
)


@dataclass
class Reading:
    """What a manifest says, and what keeps it from saying more."""

    values: dict[str, object] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    files: Collection[str] = ()
    """Paths of the whole archive."""
    computed: list[Problem] = field(default_factory=list)
    """Statements and values that are no plain data (M01)."""
    assigned_again: list[Problem] = field(default_factory=list)
    """Names with two values (M02)."""
    too_large: list[Problem] = field(default_factory=list)
    """What is too long, nests too deep, or grows too much (M06)."""

    def known(self) -> dict[str, object]:
        """Give the values by field; a flat name wins over the same key of ``metadata``."""
        metadata = self.values.get("metadata")
        return {**(metadata if isinstance(metadata, dict) else {}), **self.values}

    def vectors(self) -> list[str]:
        """Name the vectors of ``features``, in either dialect, as far as they are well-formed."""
        features = self.known().get("features")
        listed = features if isinstance(features, list | tuple) else ()
        return [
            str(feature.get("feature_name") or feature.get("name"))
            for feature in listed
            if isinstance(feature, dict)
            and (feature.get("feature_type") == "embedding" or feature.get("type") == "vector")
        ]

    def line(self, name: str) -> int | None:
        """Say where a field gets its value."""
        return self.lines.get(name, self.lines.get("metadata"))


def read(module: ast.Module, size: int, files: Collection[str] = ()) -> Reading:
    """Evaluate a module's top-level names; problems are collected, never raised."""
    reading = _Reader().read(module)
    reading.files = files
    if size > limits.MANIFEST_BYTES:
        message = f"the manifest is {size} bytes; the limit is {limits.MANIFEST_BYTES}"
        reading.too_large.append(Problem(message, PATH))
    return reading


def export(reading: Reading) -> tuple[JsonObject, list[Problem]]:
    """Turn the fields into JSON for the launcher, classes into their JSON schema."""
    models = {name: value for name, value in reading.values.items() if isinstance(value, Model)}
    scope = Scope(models, reading.imports)
    exported: JsonObject = {}
    problems = []
    for name, value in reading.known().items():
        if name in FIELDS:
            try:
                exported[name] = schema.describe(value, scope) if isinstance(value, Model) else to_json(value)
            except (ValueError, RecursionError) as err:
                problems.append(Problem(f"`{name}` {err}", PATH, reading.line(name)))
    return exported, problems


class _Reader:
    def __init__(self) -> None:
        self._reading = Reading()
        self._bound: dict[str, Value] = {}
        self._scope = Scope({}, self._reading.imports)
        self._weight = 0

    def read(self, module: ast.Module) -> Reading:
        for statement in module.body:
            try:
                self._read_statement(statement)
            except Computed as err:
                found = self._reading.too_large if isinstance(err, TooLarge) else self._reading.computed
                found.append(_problem(err.node, str(err)))
        return self._reading

    def _read_statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                pass
            case ast.Import(names=aliases):
                for alias in aliases:
                    self._import(node, alias.name, alias, alias.name if alias.asname else _root(alias.name))
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                for alias in aliases:
                    self._import(node, module, alias, f"{module}.{alias.name}")
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._bind(node, name, lambda: evaluate(value, self._bound))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self._check_annotation(node.annotation)
                self._bind(node, name, lambda: evaluate(value, self._bound))
            case ast.ClassDef():
                self._bind(node, node.name, lambda: Value(self._read_class(node)))
            case _:
                raise Computed(node, f"a manifest holds values and classes, and this is {describe(node)}")

    def _import(self, node: ast.stmt, module: str, alias: ast.alias, target: str) -> None:
        if _root(module) not in _MODULES or alias.name == "*":
            known = ", ".join(sorted(_MODULES))
            raise Computed(node, f"imports {module}; a manifest imports by name from {known} only")
        self._reading.imports[alias.asname or _root(alias.name)] = target

    def _bind(self, node: ast.stmt, name: str, make: Callable[[], Value]) -> None:
        lines = self._reading.lines
        if name in lines:
            message = f"`{name}` is assigned again; it was in line {lines[name]}"
            self._reading.assigned_again.append(_problem(node, message))
        # A name that cannot be evaluated is still defined, and its own problem is all there is to say.
        lines.setdefault(name, node.lineno)
        try:
            value = make()
        except Computed as err:
            raise type(err)(err.node, f"`{name}` is no plain value: {err}") from err
        self._weight += value.weight
        if self._weight > _MAX_WEIGHT:
            raise TooLarge(node, "the values of all names are too large together")
        self._bound[name] = value
        self._reading.values[name] = value.value

    def _read_class(self, node: ast.ClassDef) -> Model:
        if node.decorator_list or node.keywords or getattr(node, "type_params", None):
            raise Computed(node, "a class has decorators, keywords or type parameters")
        for base in node.bases:
            self._check_annotation(base)
        is_enum = any(self._is_enum(base) for base in node.bases)
        fields: list[ModelField] = []
        config: dict[str, object] = {}
        for statement in node.body:
            match statement:
                case ast.Expr(value=ast.Constant(value=str() | types.EllipsisType())) | ast.Pass():
                    pass
                case ast.AnnAssign(target=ast.Name(id="model_config"), value=ast.expr() as value):
                    self._check_annotation(statement.annotation)
                    config = self._read_config(value)
                case ast.AnnAssign(target=ast.Name(id=name)):
                    self._check_annotation(statement.annotation)
                    fields.append(self._read_field(name, statement.annotation, statement.value))
                case ast.Assign(targets=[ast.Name(id="model_config")], value=value):
                    config = self._read_config(value)
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if is_enum:
                    member = evaluate(value, self._bound).value
                    fields.append(ModelField(name, default=member, has_default=True))
                case _:
                    what = describe(statement)
                    raise Computed(statement, f"a class holds annotated fields, and this is {what}")
        return Model(node.name, ast.get_docstring(node), tuple(node.bases), tuple(fields), config, is_enum)

    def _is_enum(self, base: ast.expr) -> bool:
        name = self._scope.qualify(base) or ""
        parent = self._reading.values.get(name)
        return _root(name) == "enum" or (isinstance(parent, Model) and parent.is_enum)

    def _read_config(self, node: ast.expr) -> dict[str, object]:
        value = self._read_call(node) if isinstance(node, ast.Call) else evaluate(node, self._bound).value
        return value if isinstance(value, dict) else {}

    def _read_field(self, name: str, annotation: ast.expr, node: ast.expr | None) -> ModelField:
        if node is None:
            return ModelField(name, annotation)
        if not isinstance(node, ast.Call):
            return ModelField(name, annotation, evaluate(node, self._bound).value, has_default=True)
        settings = self._read_call(node)
        default = settings.pop("default", ...)
        return ModelField(name, annotation, default, default is not ..., settings)

    def _read_call(self, node: ast.Call) -> dict[str, object]:
        """Read ``Field(...)`` or ``ConfigDict(...)`` as its arguments; the first position is the default."""
        if self._scope.qualify(node.func) not in _CALLS:
            called = ast.unparse(node.func)[:80]
            raise Computed(node, f"calls {called}; only pydantic's Field and ConfigDict may be called")
        if len(node.args) > 1 or not all(keyword.arg for keyword in node.keywords):
            raise Computed(node, "its arguments are unpacked, or more than one has no name")
        arguments = {"default": node.args[0]} if node.args else {}
        arguments |= {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        return {name: self._evaluate_argument(value) for name, value in arguments.items()}

    def _evaluate_argument(self, node: ast.expr) -> object:
        if isinstance(node, ast.Name) and node.id in _BUILTIN_TYPES and node.id not in self._bound:
            return _BUILTIN_TYPES[node.id]
        return evaluate(node, self._bound).value

    def _check_annotation(self, annotation: ast.expr) -> None:
        """Hold an annotation to be made of names: it may compute nothing either."""
        pending: list[ast.AST] = [annotation]
        while pending:
            node = pending.pop()
            match node:
                case ast.Call():
                    self._read_call(node)
                case ast.BinOp(op=ast.BitOr()):
                    pending += [node.left, node.right]
                case ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
                    pass
                case _ if isinstance(node, _ANNOTATION_PARTS):
                    pending += ast.iter_child_nodes(node)
                case _:
                    raise Computed(node, f"an annotation has {describe(node)}")


def _root(name: str) -> str:
    return name.partition(".")[0]


def _problem(node: ast.AST, message: str) -> Problem:
    line, column = getattr(node, "lineno", None), getattr(node, "col_offset", None)
    return Problem(message, PATH, line, None if column is None else column + 1)
