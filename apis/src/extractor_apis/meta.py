"""The bases of every model that crosses a boundary: a file, a process, the wire."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Count = Annotated[int, Field(ge=0, le=2**53)]
"""How many: no more than every reader of JSON, and the API server, can tell apart."""


class Struct(BaseModel):
    """An immutable value; unknown fields are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class CamelStruct(Struct):
    """A value that is spelled as Kubernetes spells: ``allowedDependencies`` on the wire, snake_case here."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True)
