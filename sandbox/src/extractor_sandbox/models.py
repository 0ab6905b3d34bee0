"""The classes of a manifest, as they are written: names, annotations and plain values, nothing resolved."""

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

JsonValue: TypeAlias = bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"] | None
JsonObject: TypeAlias = dict[str, JsonValue]

_MAX_INT_BITS = 63


@dataclass(frozen=True)
class ModelField:
    """A field as the class declares it; in an enum, a member."""

    name: str
    annotation: ast.expr | None = None
    default: object = None
    has_default: bool = False
    settings: dict[str, object] = field(default_factory=dict)
    """Keyword arguments of ``Field(...)``."""


@dataclass(frozen=True, eq=False)
class Model:
    """A pydantic model or an enum."""

    name: str
    doc: str | None
    bases: tuple[ast.expr, ...]
    fields: tuple[ModelField, ...]
    config: dict[str, object]
    is_enum: bool

    @property
    def members(self) -> dict[str, object]:
        """The values of an enum by name; nothing for a model."""
        return {each.name: each.default for each in self.fields} if self.is_enum else {}


@dataclass(frozen=True)
class Scope:
    """What names in annotations mean."""

    models: Mapping[str, Model]
    imports: Mapping[str, str]
    """Qualified name by local name."""

    def qualify(self, node: ast.expr) -> str | None:
        """Spell a name or a chain of attributes by its qualified name; None for anything else."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            owner = self.qualify(node.value)
            return owner and f"{owner}.{node.attr}"
        return None


def to_json(value: object) -> JsonValue:
    """Turn a plain value into JSON. The message of the ValueError goes on after the name of what holds it."""
    match value:
        case None | bool():
            return value
        case str() if not any("\ud800" <= char <= "\udfff" for char in value):
            return value
        case int() if value.bit_length() <= _MAX_INT_BITS:
            return value
        case float() if math.isfinite(value):
            return value
        case list() | tuple():
            return [to_json(each) for each in value]
        case set():
            # Sorted, or every scan would give another order.
            return sorted(map(to_json, value), key=repr)
        case dict() if all(isinstance(key, str) for key in value):
            return {key: to_json(each) for key, each in value.items()}
    raise ValueError(f"holds what JSON cannot hold: {type(value).__name__} {ascii(value)[:40]}")
