"""Runs that take only some objects: those that had failed, and nothing else that has changed since."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from extractor_apis.naming import FeatureURI
from extractor_stores import Store, StoreError, search
from support.stores import COLLECTION, make_manifest, make_rows, open_writer, run, vector_of

pytestmark = pytest.mark.integration

BEFORE = {"fine": "one", "failed": "two !", "partly": "three !", "gone": "four"}
MENDED = {"fine": "changed", "failed": "five", "partly": "six !", "new": "seven"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path, create=True) as store:
        yield store


def words(store: Store) -> set[str]:
    hits = search(store, FeatureURI("embedder"), vector_of("word"), limit=1000)
    return {hit.document["word"] for hit in hits}


def test_only_what_failed_is_taken_and_the_rest_stays_as_it_is_published(store: Store) -> None:
    run(store, BEFORE)

    record = run(store, MENDED, only={"failed", "not there any more"})

    assert words(store) == {"one", "three", "four", "five"}
    assert record.sources["shelf"].failed == ("partly",)


def test_the_next_run_over_everything_takes_what_was_left(store: Store) -> None:
    run(store, BEFORE)
    run(store, MENDED, only={"failed"})

    with store.lock(COLLECTION, "next"):
        todo = list(open_writer(store, MENDED).todo)
    record = run(store, MENDED)

    assert todo == ["fine", "partly", "new"]
    assert words(store) == {"changed", "five", "six", "seven"}
    assert record.sources["shelf"].failed == ("partly",)


def test_what_fails_again_still_counts_as_failed(store: Store) -> None:
    run(store, BEFORE)

    record = run(store, BEFORE, only={"failed", "partly"})

    assert record.sources["shelf"].failed == ("failed", "partly")
    assert words(store) == {"one", "two", "three", "four"}


def test_what_a_killed_run_had_finished_is_kept(store: Store) -> None:
    run(store, BEFORE)
    with store.lock(COLLECTION, "killed"):
        writer = open_writer(store, MENDED)
        writer.add(make_rows(make_manifest(), {"new": "seven"}))
        writer.flush()

    run(store, MENDED, only={"failed"})

    assert words(store) == {"one", "three", "four", "five", "seven"}


def test_source_that_was_never_published_is_refused(store: Store) -> None:
    refusal = pytest.raises(StoreError, match=r"shelf was never published for mixpeek://embedder@1\.0\.0")
    with refusal, store.lock(COLLECTION, "run-1"):
        open_writer(store, BEFORE, only={"failed"})
