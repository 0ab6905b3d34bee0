"""The JSON form of what an author returns: arrays, NumPy's numbers and dataclasses have an obvious one.

What has none (NaN, bytes, a set) is refused with the place where it is: an encoder would write null, or fail
with the name of a type.
"""

import dataclasses
import datetime
import enum
import math
import types
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from extractor_runtime import errors

_DEPTH = 100
_ATOMS = frozenset((str, int, bool, types.NoneType))
_ADVICE = {
    "bytes": ": encode them as base64 text",
    "set": ": return a list, which has an order",
    "frozenset": ": return a list, which has an order",
    "generator": ": return a list of what it yields",
}


class NoJsonError(Exception):
    """A part of a value has no form in JSON."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = ""

    def under(self, key: object) -> "NoJsonError":
        """Say in which part of a larger value the part is."""
        step = f"[{key}]" if isinstance(key, int) else str(key)
        joint = "." if self.path and not self.path.startswith("[") else ""
        self.path = f"{step}{joint}{self.path}"
        return self


def plain(value: Any, depth: int = 0) -> Any:
    """Return the value as dicts, lists, text, numbers, booleans and None. Raises NoJsonError."""
    if type(value) in _ATOMS:
        return value
    if depth > _DEPTH:
        raise NoJsonError("is nested too deep, or holds itself")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NoJsonError(f"is {float(value)}, which JSON does not have")
        return float(value)
    if isinstance(value, list | tuple):
        return _list(value, depth)
    if isinstance(value, Mapping):
        return _dict(value.items(), depth)
    if isinstance(value, enum.Enum):
        return plain(value.value, depth + 1)
    if isinstance(value, str | int):
        return str(value) if isinstance(value, str) else int(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return _dict(((name, getattr(value, name)) for name in names), depth)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    for method in ("tolist", "model_dump"):
        # An array, tensor or series; a model of pydantic.
        if callable(convert := getattr(value, method, None)) and not isinstance(value, type):
            return plain(_converted(value, convert), depth + 1)
    name = type(value).__name__
    raise NoJsonError(f"is a {name}, which JSON does not have{_ADVICE.get(name, '')}")


def _converted(value: object, convert: Callable[[], Any]) -> Any:
    try:
        return convert()
    except Exception as error:
        raise NoJsonError(f"is a {type(value).__name__}, which fails with {errors.describe(error)}") from None


def _list(items: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
    kinds = set(map(type, items))
    # The usual ones, vectors above all, without a step of Python for each number.
    if kinds <= _ATOMS or (kinds == {float} and math.isfinite(sum(items))):
        return list(items)
    plain_items = []
    for index, item in enumerate(items):
        try:
            plain_items.append(plain(item, depth + 1))
        except NoJsonError as error:
            raise error.under(index) from None
    return plain_items


def _dict(items: Iterable[tuple[Any, Any]], depth: int) -> dict[str, Any]:
    plain_items = {}
    for key, value in items:
        if not isinstance(key, str | int):
            raise NoJsonError(f"has a {type(key).__name__} for a key: keys of JSON are text")
        try:
            plain_items[str(key)] = plain(value, depth + 1)
        except NoJsonError as error:
            raise error.under(str(key)) from None
    return plain_items
