"""The definitions that are committed are those of the models, and as the API server wants them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from extractor_apis import crd
from extractor_apis.resource import Resource

CRDS = Path(__file__).parents[3] / "crds"
KINDS = [pytest.param(kind, id=kind.__name__) for kind in crd.KINDS]
SMALL = 100_000
"""`kubectl apply` keeps the whole object in an annotation of at most 262,144 bytes."""


def nodes(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every schema below a schema, with its path."""
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield from nodes(node[key], f"{path}[]")


def schema(kind: type[Resource]) -> dict[str, Any]:
    [version] = crd.define(kind)["spec"]["versions"]
    found: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return found


def test_every_definition_is_committed_and_nothing_else() -> None:
    assert {path.name for path in CRDS.iterdir()} == {f"{kind.PLURAL}.yaml" for kind in crd.KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_committed_is_what_the_models_say(kind: type[Resource]) -> None:
    committed = (CRDS / f"{kind.PLURAL}.yaml").read_text("utf-8")

    assert committed == crd.render(kind), "stale: run `make generate`"
    assert len(committed) < SMALL


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_has_a_sentence_for_kubectl_explain(kind: type[Resource]) -> None:
    fields = [(path, node) for path, node in nodes(schema(kind)) if path and not path.endswith("[]")]

    assert not [
        path
        for path, node in fields
        if path != ".metadata" and not node.get("description", "").rstrip("`").endswith((".", ")"))
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_can_grow_has_a_bound(kind: type[Resource]) -> None:
    unbounded = [
        path
        for path, node in nodes(schema(kind))
        if (node.get("type") == "string" and "maxLength" not in node and "enum" not in node)
        or (node.get("type") == "array" and "maxItems" not in node)
        or ("additionalProperties" in node and "maxProperties" not in node)
    ]

    assert not unbounded


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_in_a_schema_that_a_structural_one_may_not_have(kind: type[Resource]) -> None:
    refused = {"$ref", "$defs", "anyOf", "oneOf", "const", "title", "propertyNames", "prefixItems"}
    numbers = {"exclusiveMinimum", "exclusiveMaximum"}

    assert not [path for path, node in nodes(schema(kind)) if (refused | numbers) & node.keys()]
    assert not [path for path, node in nodes(schema(kind)) if node.get("additionalProperties") is False]
