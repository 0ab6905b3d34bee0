"""Describe the classes of a manifest as JSON schema: what pydantic's ``model_json_schema`` would say of them.

Works on annotations as they are written, for the forms that authors use: builtin and typing containers,
unions, literals, enums, nested models, constraints. What is unknown is described as anything.
"""

import ast
from collections.abc import Mapping

from extractor_sandbox.models import JsonObject, JsonValue, Model, ModelField, Scope, to_json

_STRING: JsonObject = {"type": "string"}
_SCALARS: dict[str, JsonObject] = {
    "str": _STRING,
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "bytes": {"type": "string", "format": "binary"},
    "None": {"type": "null"},
    "list": {"type": "array", "items": {}},
    "tuple": {"type": "array", "items": {}},
    "set": {"type": "array", "items": {}, "uniqueItems": True},
    "frozenset": {"type": "array", "items": {}, "uniqueItems": True},
    "dict": {"type": "object", "additionalProperties": True},
    "StrictStr": _STRING,
    "StrictInt": {"type": "integer"},
    "StrictFloat": {"type": "number"},
    "StrictBool": {"type": "boolean"},
    "PositiveInt": {"type": "integer", "exclusiveMinimum": 0},
    "NegativeInt": {"type": "integer", "exclusiveMaximum": 0},
    "NonNegativeInt": {"type": "integer", "minimum": 0},
    "NonPositiveInt": {"type": "integer", "maximum": 0},
    "PositiveFloat": {"type": "number", "exclusiveMinimum": 0},
    "NegativeFloat": {"type": "number", "exclusiveMaximum": 0},
    "NonNegativeFloat": {"type": "number", "minimum": 0},
    "NonPositiveFloat": {"type": "number", "maximum": 0},
    "HttpUrl": {"type": "string", "format": "uri", "minLength": 1, "maxLength": 2083},
    "AnyUrl": {"type": "string", "format": "uri", "minLength": 1},
    "AnyHttpUrl": {"type": "string", "format": "uri", "minLength": 1},
    "EmailStr": {"type": "string", "format": "email"},
    "SecretStr": {"type": "string", "format": "password", "writeOnly": True},
}
_CONTAINERS = {
    **{name: "list" for name in ("List", "Sequence", "Iterable", "Collection", "MutableSequence")},
    **{name: "dict" for name in ("Dict", "Mapping", "MutableMapping", "DefaultDict", "OrderedDict")},
    **{name: "set" for name in ("Set", "AbstractSet", "MutableSet", "FrozenSet", "frozenset")},
    "Tuple": "tuple",
}
_LENGTHS = {"string": "Length", "array": "Items", "object": "Properties"}
_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}
_NUMBERS = {"integer", "number"}
_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}
_EXTRA = {"forbid": False, "allow": True}


def describe(model: Model, scope: Scope) -> JsonObject:
    """Describe a class, with the classes that it refers to under ``$defs``."""
    describer = _Describer(scope)
    schema = describer.describe(model)
    if model.name in describer.definitions:
        schema = {"$ref": f"#/$defs/{model.name}"}
    return {"$defs": describer.definitions, **schema} if describer.definitions else schema


class _Describer:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.definitions: JsonObject = {}

    def describe(self, model: Model) -> JsonObject:
        return self._describe_enum(model) if model.is_enum else self._describe_model(model)

    def _describe_enum(self, model: Model) -> JsonObject:
        values = [to_json(each.default) for each in model.fields]
        schema: JsonObject = {"title": model.name, "enum": values, **_common_type(values)}
        return schema | ({"description": to_json(model.doc)} if model.doc else {})

    def _describe_model(self, model: Model) -> JsonObject:
        properties: JsonObject = {}
        required: list[JsonValue] = []
        config: dict[str, object] = {}
        for ancestor in self._lineage(model):
            config |= ancestor.config
        for each in self._fields(model):
            aliases = (each.settings.get("validation_alias"), each.settings.get("alias"), each.name)
            name = next(alias for alias in aliases if isinstance(alias, str))
            properties[name] = self._describe_field(each, name)
            if not each.has_default and "default_factory" not in each.settings:
                required.append(name)
        schema: JsonObject = {
            "title": str(config.get("title") or model.name),
            "type": "object",
            "properties": properties,
        }
        if model.doc:
            schema["description"] = to_json(model.doc)
        if required:
            schema["required"] = required
        if str(config.get("extra")) in _EXTRA:
            schema["additionalProperties"] = _EXTRA[str(config["extra"])]
        return schema | _extra(config)

    def _lineage(self, model: Model) -> list[Model]:
        """List a class and the ones it inherits from, the oldest first."""
        lineage = [model]
        pending = [model]
        while pending:
            bases = pending.pop().bases
            found = [self._scope.models.get(base.id) for base in bases if isinstance(base, ast.Name)]
            new = [base for base in found if base and base not in lineage]
            lineage += new
            pending += new
        return lineage[::-1]

    def _fields(self, model: Model) -> list[ModelField]:
        fields: dict[str, ModelField] = {}
        for ancestor in self._lineage(model):
            fields |= {each.name: each for each in ancestor.fields}
        return [
            each
            for each in fields.values()
            if not each.name.startswith("_") and not self._is_class_variable(each)
        ]

    def _is_class_variable(self, each: ModelField) -> bool:
        annotation = each.annotation.value if isinstance(each.annotation, ast.Subscript) else each.annotation
        return annotation is not None and self._head(annotation) == "ClassVar"

    def _describe_field(self, each: ModelField, name: str) -> JsonObject:
        annotation, settings = self._annotated(each.annotation) if each.annotation else (None, {})
        settings = {**settings, **each.settings}
        schema = _constrain(self._describe_type(annotation), settings)
        if _is_titled(schema):
            schema["title"] = name.title().replace("_", " ").strip()
        for key in ("title", "description", "examples"):
            if settings.get(key) is not None:
                schema[key] = to_json(settings[key])
        if settings.get("deprecated"):
            schema["deprecated"] = True
        if each.has_default:
            schema["default"] = to_json(each.default)
        return schema | _extra(settings)

    def _annotated(self, annotation: ast.expr) -> tuple[ast.expr, dict[str, object]]:
        """Take ``Annotated[T, Field(…)]`` apart."""
        match annotation:
            case ast.Subscript(value=head, slice=ast.Tuple(elts=[inner, *metadata])) if (
                self._head(head) == "Annotated"
            ):
                settings: dict[str, object] = {}
                for call in metadata:
                    if isinstance(call, ast.Call):
                        settings |= {word.arg: _literal(word.value) for word in call.keywords if word.arg}
                return inner, settings
        return annotation, {}

    def _head(self, node: ast.expr) -> str | None:
        """Name what an annotation starts with, without its module."""
        name = self._scope.qualify(node)
        return name and name.rpartition(".")[2]

    def _describe_type(self, node: ast.expr | None) -> JsonObject:
        match node:
            case ast.Constant(value=None):
                return {"type": "null"}
            case ast.Constant(value=str(text)):
                return self._describe_type(_parse(text))
            case ast.Name(id=name) if name in self._scope.models:
                return self._refer(self._scope.models[name])
            case ast.Name() | ast.Attribute():
                head = self._head(node) or ""
                return dict(_SCALARS.get(_CONTAINERS.get(head, head), {}))
            case ast.BinOp(left=left, right=right):
                return self._describe_union([left, right])
            case ast.Subscript(value=value, slice=inner):
                arguments = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                return self._describe_generic(self._head(value) or "", arguments, node)
        return {}

    def _describe_generic(self, head: str, arguments: list[ast.expr], node: ast.expr) -> JsonObject:
        if not arguments:
            return {}
        match _CONTAINERS.get(head, head):
            case "Optional":
                return self._describe_union([*arguments, ast.Constant(None)])
            case "Union":
                return self._describe_union(arguments)
            case "Literal":
                return _describe_literal([_literal(each) for each in arguments])
            case "Annotated":
                inner, settings = self._annotated(node)
                return _constrain(self._describe_type(inner), settings)
            case "Required" | "NotRequired" | "Final" | "ReadOnly":
                return self._describe_type(arguments[0])
            case "list" | "set" as kind:
                return {**_SCALARS[kind], "items": self._describe_type(arguments[0])}
            case "dict":
                return self._describe_dict(arguments)
            case "tuple":
                return self._describe_tuple(arguments)
        return {}

    def _describe_dict(self, arguments: list[ast.expr]) -> JsonObject:
        keys, values = ([self._describe_type(each) for each in arguments] + [{}, {}])[:2]
        schema: JsonObject = {"type": "object", "additionalProperties": values or True}
        return schema | ({"propertyNames": keys} if "$ref" in keys else {})

    def _describe_tuple(self, arguments: list[ast.expr]) -> JsonObject:
        match arguments:
            case [inner, ast.Constant(value=x)] if x is ...:
                return {"type": "array", "items": self._describe_type(inner)}
        items: list[JsonValue] = [self._describe_type(each) for each in arguments]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}

    def _describe_union(self, nodes: list[ast.expr]) -> JsonObject:
        variants: list[JsonValue] = []
        for node in nodes:
            schema = self._describe_type(node)
            inner = schema["anyOf"] if isinstance(schema.get("anyOf"), list) else [schema]
            variants += [each for each in inner if each not in variants]  # type: ignore[union-attr]
        null: JsonValue = {"type": "null"}
        if null in variants:
            variants = [each for each in variants if each != null] + [null]
        return {"anyOf": variants} if len(variants) > 1 else dict(variants[0])  # type: ignore[arg-type]

    def _refer(self, model: Model) -> JsonObject:
        if model.name not in self.definitions:
            self.definitions[model.name] = None  # Taken before it is described: it may refer to itself.
            self.definitions[model.name] = self.describe(model)
        return {"$ref": f"#/$defs/{model.name}"}


def _describe_literal(values: list[object]) -> JsonObject:
    known = [to_json(value) for value in values]
    schema: JsonObject = {"const": known[0]} if len(known) == 1 else {"enum": known}
    return schema | _common_type(known)


def _common_type(values: list[JsonValue]) -> JsonObject:
    types = {_JSON_TYPES.get(type(value)) for value in values}
    only = types.pop() if len(types) == 1 else None
    return {"type": only} if only else {}


def _constrain(schema: JsonObject, settings: Mapping[str, object]) -> JsonObject:
    """Add bounds and lengths where they apply: in a union with None, to the other variant."""
    variants = schema.get("anyOf")
    if isinstance(variants, list):
        return {
            **schema,
            "anyOf": [_constrain(each, settings) if isinstance(each, dict) else each for each in variants],
        }
    kind = str(schema.get("type"))
    if kind in _NUMBERS:
        schema = schema | {
            word: to_json(settings[key]) for key, word in _BOUNDS.items() if settings.get(key) is not None
        }
    if kind in _LENGTHS:
        lengths = {"min_length": f"min{_LENGTHS[kind]}", "max_length": f"max{_LENGTHS[kind]}"}
        schema = schema | {
            word: to_json(settings[key]) for key, word in lengths.items() if settings.get(key) is not None
        }
    if kind == "string" and settings.get("pattern") is not None:
        schema = schema | {"pattern": to_json(settings["pattern"])}
    return dict(schema)


def _is_titled(schema: JsonObject) -> bool:
    """Tell whether pydantic gives a field a title: not where it refers to a class that has its own."""
    match schema.get("anyOf"):
        case [{"$ref": _}, {"type": "null"}]:
            return False
    return "$ref" not in schema


def _extra(settings: Mapping[str, object]) -> JsonObject:
    extra = settings.get("json_schema_extra")
    return {str(key): to_json(value) for key, value in extra.items()} if isinstance(extra, dict) else {}


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        return None


def _parse(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
