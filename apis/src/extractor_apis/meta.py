"""The base of every model that crosses a boundary: a file, a process, the wire."""

from pydantic import BaseModel, ConfigDict


class Struct(BaseModel):
    """An immutable value; unknown fields are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
