"""Searching published tables: right scores, a fixed order, and errors that name what there is."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extractor_apis.manifest import Distance, VectorFeature
from extractor_apis.naming import FeatureURI
from extractor_stores import Store, StoreError, search
from support.stores import make_manifest, run, vector_of

pytestmark = pytest.mark.integration

EMBEDDER = FeatureURI("embedder")
WORDS = {"a": "one three", "b": "seventeen", "c": "thirty-seven"}
SCORES: dict[Distance, Callable[[Any, Any], Any]] = {
    Distance.COSINE: lambda a, b: a @ b / (np.linalg.norm(a) * np.linalg.norm(b)),
    Distance.DOT: lambda a, b: a @ b,
    Distance.EUCLID: lambda a, b: -np.linalg.norm(a - b),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path, create=True) as opened:
        yield opened


@pytest.mark.parametrize("distance", list(Distance))
def test_scores_are_those_that_numpy_gives(store: Store, distance: Distance) -> None:
    manifest = make_manifest(vectors=(VectorFeature(name="embedding", dimensions=3, distance=distance),))
    run(store, WORDS, manifest=manifest)
    query = np.array([0.3, 2.0, -1.0])

    hits = search(store, EMBEDDER, query)

    score = SCORES[distance]
    want = {
        word: score(np.array(vector_of(word, 3)), query) for text in WORDS.values() for word in text.split()
    }
    assert {hit.document["word"]: hit.score for hit in hits} == pytest.approx(want, abs=1e-6)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_limit_parts_equal_documents_by_their_ids(store: Store) -> None:
    run(store, {str(number): "same" for number in range(50)})

    everything = search(store, EMBEDDER, vector_of("same"), limit=50)
    some = search(store, EMBEDDER, vector_of("same"), limit=7)

    ids = [hit.document_id for hit in everything]
    assert ids == sorted(ids)
    assert some == everything[:7]


def test_collections_are_merged_unless_one_is_named(store: Store) -> None:
    run(store, {"a": "one"}, collection="first")
    run(store, {"b": "four"}, collection="second")

    merged = search(store, EMBEDDER, vector_of("four"))
    best = search(store, EMBEDDER, vector_of("four"), limit=1)
    one = search(store, EMBEDDER, vector_of("four"), collection="first")

    assert [(hit.collection, hit.document["word"]) for hit in merged] == [
        ("second", "four"),
        ("first", "one"),
    ]
    assert (best, [hit.collection for hit in one]) == (merged[:1], ["first"])


def test_pinned_version_is_searched_though_another_answers(store: Store) -> None:
    run(store, {"a": "old"})
    run(store, {"a": "new"}, manifest=make_manifest(version="2.0.0"))

    pinned = search(store, FeatureURI("embedder", "1.0.0"), vector_of("old"))
    pointed = search(store, EMBEDDER, vector_of("old"))

    assert [hit.document["word"] for hit in itertools.chain(pinned, pointed)] == ["old", "new"]


def test_features_of_an_extractor_are_searched_each_for_itself(store: Store) -> None:
    features = (VectorFeature(name="near", dimensions=2), VectorFeature(name="wide", dimensions=5))
    run(store, WORDS, manifest=make_manifest(vectors=features))

    [hit] = search(store, FeatureURI("embedder", None, "wide"), vector_of("seventeen", 5), limit=1)

    assert hit.document == {"word": "seventeen"}


@pytest.mark.parametrize(
    ("vector", "want"),
    [
        pytest.param(
            [1.0], r"has 1 dimensions, but mixpeek://embedder@1.0.0/embedding has 2", id="too short"
        ),
        pytest.param([[1.0, 2.0]], r"has 1 x 2 dimensions", id="a matrix"),
        pytest.param([1.0, float("nan")], r"no finite numbers", id="not a number"),
        pytest.param([0.0, 0.0], r"is zero", id="no direction"),
    ],
)
def test_vector_that_does_not_compare_is_refused(store: Store, vector: list[float], want: str) -> None:
    run(store, WORDS)

    with pytest.raises(StoreError, match=want):
        search(store, EMBEDDER, vector)


def test_extractor_that_found_nothing_has_no_hits(store: Store) -> None:
    run(store, {"a": ""})

    assert search(store, EMBEDDER, [1.0, 0.0]) == []


@pytest.mark.parametrize("limit", [0, 10_001])
def test_limit_out_of_bounds_is_refused(store: Store, limit: int) -> None:
    with pytest.raises(StoreError, match=r"ask for 1 to 10,000"):
        search(store, EMBEDDER, [1.0, 0.0], limit=limit)


def test_vectors_that_are_gone_are_reported(store: Store) -> None:
    record = run(store, WORDS)
    (store.layout.vectors(record.collection) / "books__embedder__1_0_0.lance").rename(store.layout.root / "x")

    with pytest.raises(
        StoreError, match=r"table books__embedder__1_0_0, which is published, is gone: restore"
    ):
        search(store, EMBEDDER, [1.0, 0.0])
