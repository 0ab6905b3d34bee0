"""From the models of the kinds to their CustomResourceDefinitions: ``python -m extractor_apis.crd FOLDER``.

The API server wants a structural schema: no references, no nulls, no `additionalProperties: false`. The
models are the only source; the YAML is generated and never edited.
"""

import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic.json_schema import GenerateJsonSchema

from extractor_apis.collection import Collection
from extractor_apis.extractor import Extractor
from extractor_apis.extractorrun import ExtractorRun
from extractor_apis.extractorversion import ExtractorVersion
from extractor_apis.resource import Column, Resource

KINDS: tuple[type[Resource], ...] = (ExtractorVersion, Extractor, Collection, ExtractorRun)


def main() -> None:
    """Write every definition into the folder that the command line names."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        (folder / f"{kind.PLURAL}.yaml").write_text(render(kind), "utf-8")


def render(kind: type[Resource]) -> str:
    """Write a kind's definition as YAML."""
    head = "# Generated from the models in apis/ by `make generate`: do not edit.\n"
    return head + yaml.safe_dump(define(kind), sort_keys=False, allow_unicode=True, width=110)


def define(kind: type[Resource]) -> dict[str, Any]:
    """Define a kind for the API server."""
    name = kind.__name__
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.PLURAL}.{kind.GROUP}"},
        "spec": {
            "group": kind.GROUP,
            "names": {
                "kind": name,
                "listKind": f"{name}List",
                "plural": kind.PLURAL,
                "singular": name.lower(),
                "shortNames": list(kind.SHORT_NAMES),
                "categories": ["extractors"],
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": kind.VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [_column(column) for column in kind.COLUMNS],
                    "schema": {"openAPIV3Schema": _schema(kind)},
                }
            ],
        },
    }


def _column(column: Column) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": column.name, "type": column.type, "jsonPath": column.path}
    if column.description:
        shown["description"] = column.description
    if column.wide:
        shown["priority"] = 1
    return shown


def _schema(kind: type[Resource]) -> dict[str, Any]:
    schema = kind.model_json_schema(schema_generator=_StructuralSchema)
    properties = _inlined(schema["properties"], schema["$defs"])
    # The API server drops a status that comes with a new object: only a default makes it say "not looked at".
    properties["status"]["default"] = {"observedGeneration": -1}
    rules = [{"rule": rule, "message": message} for rule, message in kind.VALIDATIONS]
    return {
        "type": "object",
        "description": " ".join(schema["description"].split()),
        "required": ["spec"],
        "properties": properties | {"metadata": {"type": "object"}},
        **({"x-kubernetes-validations": rules} if rules else {}),
    }


class _StructuralSchema(GenerateJsonSchema):
    """The part of JSON schema that the API server takes."""

    def nullable_schema(self, schema: Any) -> dict[str, Any]:
        # What is optional is absent, never null.
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: Any) -> dict[str, Any]:
        inner = self.generate_inner(schema["schema"])
        default = schema.get("default")
        if default is None or default == ():
            return inner
        if hasattr(default, "model_dump"):
            # The defaults of its fields are in its own schema; this one makes them apply.
            return {**inner, "default": {}}
        return {**inner, "default": self.encode_default(default)}

    def literal_schema(self, schema: Any) -> dict[str, Any]:
        return {"type": "string", "enum": list(schema["expected"])}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _inlined(node: Any, definitions: dict[str, Any]) -> Any:
    """Replace every reference by what it refers to, and drop what a CRD may not have."""
    match node:
        case {"$ref": str(reference), **rest}:
            return _inlined(definitions[reference.rpartition("/")[2]] | rest, definitions)
        case {"description": str(description), **rest}:
            # Docstrings are wrapped for the editor; `kubectl explain` wraps for the terminal.
            return {"description": " ".join(description.split()), **_inlined(rest, definitions)}
        case dict():
            return {
                key: _inlined(value, definitions)
                for key, value in node.items()
                if not (key == "title" and isinstance(value, str))
                and not (key == "additionalProperties" and isinstance(value, bool))
            }
        case list():
            return [_inlined(value, definitions) for value in node]
        case _:
            return node


if __name__ == "__main__":
    main()
