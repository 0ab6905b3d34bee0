"""The bases of every model that crosses a boundary: a file, a process, the wire."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Struct(BaseModel):
    """An immutable value; unknown fields are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class CamelStruct(Struct):
    """A value that is spelled as Kubernetes spells: ``allowedDependencies`` on the wire, snake_case here."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True)
