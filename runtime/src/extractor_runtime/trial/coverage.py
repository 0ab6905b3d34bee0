"""How much of what a manifest declares was there: vectors by row, attributes by document."""

from collections.abc import Sequence

from extractor_apis.manifest import JsonObject, Manifest
from extractor_apis.meta import Struct
from extractor_apis.run import DeadLetter
from extractor_runtime.batch import output
from extractor_runtime.trial.parity import Document


class FeatureCoverage(Struct):
    """How many rows have a vector of a feature."""

    name: str
    rows: int
    """Rows that the last step returned."""
    vectors: int
    failed: int
    """Rows that should have one, and have none or a wrong one; the others are of a kind that has none."""


class AttributeCoverage(Struct):
    """How many documents have an attribute that ``output_schema`` names."""

    name: str
    documents: int
    present: int
    """Documents in which it has a value."""
    required: bool
    """False for a field that a JSON schema leaves optional."""


def of_features(
    manifest: Manifest, documents: Sequence[Document], letters: Sequence[DeadLetter]
) -> list[FeatureCoverage]:
    """Count vectors; a row that lacked one became a dead letter of the output, which names the feature."""
    returned = len(documents) + sum(letter.step == "output" for letter in letters)
    return [
        FeatureCoverage(
            name=feature.name,
            rows=returned,
            vectors=sum(feature.name in document.vectors for document in documents),
            failed=sum(is_about(letter, feature.name) for letter in letters),
        )
        for feature in manifest.vectors
    ]


def of_attributes(manifest: Manifest, documents: Sequence[Document]) -> list[AttributeCoverage]:
    """Count the documents that have each declared attribute."""
    vectors = {feature.name for feature in manifest.vectors}
    declared = (output.declared_attributes(manifest) or frozenset()) - vectors
    optional = _optional(manifest.output_schema or {})
    return [
        AttributeCoverage(
            name=name,
            documents=len(documents),
            present=sum(document.attributes.get(name) is not None for document in documents),
            required=name not in optional,
        )
        for name in sorted(declared)
    ]


def _optional(schema: JsonObject) -> frozenset[str]:
    """Name the fields that a JSON schema does not require; the plain dict that authors write requires all."""
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict):
        return frozenset()
    return frozenset(properties) - frozenset(map(str, required if isinstance(required, list) else ()))


def is_about(letter: DeadLetter, feature: str) -> bool:
    """Tell whether a dead letter of the output is one of a feature's vectors."""
    return letter.step == "output" and letter.error.startswith(f"{feature} ")
