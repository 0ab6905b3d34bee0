"""From a feature URI to the tables that hold the feature now."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from extractor_apis.manifest import VectorFeature
from extractor_apis.naming import FeatureURI
from extractor_apis.results import CompletionRecord
from extractor_stores.errors import StoreError
from extractor_stores.store import Store


@dataclass(frozen=True)
class Resolved:
    """What a feature URI means in a store."""

    uri: FeatureURI
    """With version and feature: only a query vector of this very version compares."""
    feature: VectorFeature
    records: tuple[CompletionRecord, ...]
    """What is published of it, one record a collection."""


def resolve(store: Store, uri: FeatureURI, collection: str | None = None) -> Resolved:
    """Find the feature that a URI means, in one collection or in every one that holds it.

    Without a version the pointers decide; without a feature, the only one is meant. Raises StoreError, which
    names what there is to choose from.
    """
    records = store.records()
    if not records:
        raise StoreError(f"{store.layout.root} holds nothing yet: run an extractor into it first")
    if collection is not None:
        records = _narrow(records, "collection", collection, lambda record: record.collection)
    records = _narrow(records, "extractor", uri.extractor, lambda record: record.extractor)
    if uri.version is not None:
        records = _narrow(records, f"{uri.extractor} of version", uri.version, lambda record: record.version)
    else:
        records = _answering(store, records)
    name = uri.feature or _only_feature(records)
    holding = [(record, feature) for record in records for feature in record.features if feature.name == name]
    if not holding:
        raise StoreError(f"there is no vector feature {name} in {uri.extractor}; it has {_names(records)}")
    features = {feature for _, feature in holding}
    if len(features) > 1:
        raise StoreError(
            f"{name} differs between {_list(record.collection for record, _ in holding)}: name a collection"
        )
    found = tuple(record for record, _ in holding)
    return Resolved(FeatureURI(uri.extractor, found[0].version, name), features.pop(), found)


def _narrow(
    records: list[CompletionRecord], kind: str, wanted: str, of: Callable[[CompletionRecord], str]
) -> list[CompletionRecord]:
    kept = [record for record in records if of(record) == wanted]
    if not kept:
        raise StoreError(f"there is no {kind} {wanted}; there is {_list(map(of, records))}")
    return kept


def _answering(store: Store, records: list[CompletionRecord]) -> list[CompletionRecord]:
    kept = [
        record for record in records if store.pointer(record.collection, record.extractor) == record.version
    ]
    extractor = records[0].extractor
    if not kept:
        versions = _list(record.version for record in records)
        raise StoreError(f"no version of {extractor} answers yet; name one of {versions}")
    if len({record.version for record in kept}) > 1:
        versions = _list(f"{record.version} in {record.collection}" for record in kept)
        raise StoreError(
            f"different versions of {extractor} answer ({versions}): name a version or a collection"
        )
    return kept


def _only_feature(records: list[CompletionRecord]) -> str:
    names = {feature.name for record in records for feature in record.features}
    if len(names) != 1:
        raise StoreError(
            f"{records[0].extractor} has {_names(records)}: name one vector feature at the end of the URI"
        )
    return names.pop()


def _names(records: list[CompletionRecord]) -> str:
    return _list(feature.name for record in records for feature in record.features) or "no vector feature"


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))
