from collections.abc import Callable
from pathlib import Path

import pytest

from extractor_apis.manifest import VectorFeature
from extractor_apis.naming import FeatureURI
from extractor_stores import CompletionRecord, Store, StoreError, records, resolve
from support.stores import make_record

WORD, LINE = VectorFeature(name="word", dimensions=2), VectorFeature(name="line", dimensions=3)
WIDE_WORD = VectorFeature(name="word", dimensions=4)

BOOKS = make_record(collection="books", features=(WORD,))
BOOKS_2 = make_record(collection="books", version="2.0.0", features=(WORD, LINE))
FILMS = make_record(collection="films", features=(WORD,))
WIDE_FILMS = make_record(collection="films", features=(WIDE_WORD,))
TEXTS = make_record(collection="books", extractor="transcriber", features=())


@pytest.fixture
def publish(tmp_path: Path) -> Callable[..., Store]:
    def publish(*published: CompletionRecord, answering: tuple[CompletionRecord, ...] = ()) -> Store:
        with Store.open(tmp_path, create=True) as store:
            for record in published:
                records.write_record(store.layout, record)
            for record in answering:
                records.write_pointer(store.layout, record.collection, record.extractor, record.version)
            return store

    return publish


@pytest.mark.parametrize(
    ("uri", "collection", "want_uri", "want_records"),
    [
        pytest.param("embedder@1.0.0/word", None, "embedder@1.0.0/word", (BOOKS, FILMS), id="pinned"),
        pytest.param("embedder@v1/word", "films", "embedder@1.0.0/word", (FILMS,), id="in one collection"),
        pytest.param("embedder/line", "books", "embedder@2.0.0/line", (BOOKS_2,), id="whose version answers"),
        pytest.param("embedder@1.0.0", None, "embedder@1.0.0/word", (BOOKS, FILMS), id="the only feature"),
        pytest.param("embedder@2.0.0/word", None, "embedder@2.0.0/word", (BOOKS_2,), id="where it is"),
    ],
)
def test_uri_means_the_feature(
    publish: Callable[..., Store],
    uri: str,
    collection: str | None,
    want_uri: str,
    want_records: tuple[CompletionRecord, ...],
) -> None:
    store = publish(BOOKS, BOOKS_2, FILMS, answering=(BOOKS_2, FILMS))

    resolved = resolve(store, FeatureURI.parse(f"mixpeek://{uri}"), collection)

    assert (str(resolved.uri), resolved.records) == (f"mixpeek://{want_uri}", want_records)
    assert resolved.feature.name == resolved.uri.feature


@pytest.mark.parametrize(
    ("uri", "collection", "want"),
    [
        pytest.param(
            "nobody", None, "there is no extractor nobody; there is embedder, transcriber", id="extractor"
        ),
        pytest.param(
            "embedder", "songs", "there is no collection songs; there is books, films", id="collection"
        ),
        pytest.param(
            "embedder@3.0.0", None, "no embedder of version 3.0.0; there is 1.0.0, 2.0.0", id="version"
        ),
        pytest.param(
            "embedder@2.0.0/page", None, "no vector feature page in embedder; it has line, word", id="feature"
        ),
        pytest.param(
            "embedder@2.0.0", None, "embedder has line, word: name one vector feature", id="several features"
        ),
        pytest.param("transcriber", None, "transcriber has no vector feature", id="no features"),
        pytest.param(
            "embedder", None, r"answer \(1.0.0 in films, 2.0.0 in books\): name", id="several versions"
        ),
    ],
)
def test_uri_that_means_nothing_is_answered_with_what_there_is(
    publish: Callable[..., Store], uri: str, collection: str | None, want: str
) -> None:
    store = publish(BOOKS, BOOKS_2, FILMS, TEXTS, answering=(BOOKS_2, FILMS, TEXTS))

    with pytest.raises(StoreError, match=want):
        resolve(store, FeatureURI.parse(f"mixpeek://{uri}"), collection)


def test_empty_store_says_so(publish: Callable[..., Store]) -> None:
    with pytest.raises(StoreError, match="holds nothing yet: run an extractor into it first"):
        resolve(publish(), FeatureURI("embedder"))


def test_version_whose_pointer_was_never_written_must_be_named(publish: Callable[..., Store]) -> None:
    with pytest.raises(StoreError, match=r"no version of embedder answers yet; name one of 1\.0\.0"):
        resolve(publish(BOOKS), FeatureURI("embedder"))


def test_feature_that_differs_between_collections_needs_one_of_them(publish: Callable[..., Store]) -> None:
    with pytest.raises(StoreError, match="word differs between books, films: name a collection"):
        resolve(publish(BOOKS, WIDE_FILMS), FeatureURI("embedder", "1.0.0", "word"))
