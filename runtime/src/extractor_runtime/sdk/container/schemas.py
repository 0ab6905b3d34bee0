"""What form an author wants an answer in, and whether the model kept to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema
import pydantic
from jsonschema.validators import validator_for


@dataclass(frozen=True)
class Form:
    """A JSON schema, or none for plain text."""

    schema: dict[str, Any] | None
    model: type[pydantic.BaseModel] | None = None

    @classmethod
    def of(cls, schema: Any) -> "Form":
        """Take a JSON schema or a pydantic class. Raises ValueError for what is neither."""
        if schema is None:
            return cls(None)
        if isinstance(schema, type) and issubclass(schema, pydantic.BaseModel):
            return cls(schema.model_json_schema(), schema)
        if not isinstance(schema, Mapping):
            raise ValueError(
                f"schema is a {type(schema).__name__}: give a JSON schema as a dict, or a pydantic class"
            )
        try:
            validator_for(schema).check_schema(schema)
        except jsonschema.SchemaError as error:
            raise ValueError(f"schema is no JSON schema: {error.json_path}: {error.message:.200}") from None
        return cls(dict(schema))

    def read(self, text: str) -> Any:
        """Return the answer as data: the text itself without a schema, else what it holds as JSON.

        Raises ValueError that says where it violates the schema.
        """
        if self.schema is None:
            return text
        try:
            data = json.loads(_unfenced(text))
        except ValueError as error:
            raise ValueError(f"is no JSON ({error}): {text[:100]!r}") from None
        if self.model is not None:
            return self._read_model(self.model, data)
        violation = jsonschema.exceptions.best_match(
            validator_for(self.schema)(self.schema).iter_errors(data)
        )
        if violation is not None:
            raise ValueError(f"violates the schema at {violation.json_path}: {violation.message:.200}")
        return data

    @staticmethod
    def _read_model(model: type[pydantic.BaseModel], data: Any) -> Any:
        try:
            return model.model_validate(data).model_dump(mode="json")
        except pydantic.ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            place = ".".join(map(str, ("$", *first["loc"])))
            raise ValueError(f"violates the schema at {place}: {first['msg']:.200}") from None


def _unfenced(text: str) -> str:
    """Take JSON out of the Markdown that models put around it where nothing holds them to a format."""
    text = text.strip()
    if not text.startswith("```"):
        return text
    return text.partition("\n")[2].removesuffix("```")
