"""What a publication leaves, on real LanceDB folders and the MongoDB wire protocol."""

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from extractor_apis.manifest import VectorFeature
from extractor_apis.naming import FeatureURI
from extractor_stores import DocumentsIn, Store, StoreError, Thresholds, search
from support.mongodb import fresh_database, mongodb_server
from support.stores import (
    COLLECTION,
    contents,
    leftovers,
    make_manifest,
    make_rows,
    mongodb_documents,
    open_writer,
    run,
    run_in,
    vector_of,
)

pytestmark = pytest.mark.integration

EMBEDDER = FeatureURI("embedder")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with mongodb_server() as uri:
        yield uri


@pytest.fixture
def database(server: str) -> Iterator[str]:
    with fresh_database(server) as uri:
        yield uri


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store", create=True) as opened:
        yield opened


@pytest.fixture
def mongodb_store(tmp_path: Path, database: str) -> Iterator[Store]:
    with Store.open(tmp_path / "store", create=True, mongodb_uri=database) as opened:
        yield opened


def words(store: Store) -> set[str]:
    return {hit.document["word"] for hit in search(store, EMBEDDER, vector_of("word"), limit=1000)}


def files(store: Store) -> dict[Path, int]:
    root = store.layout.root
    return {
        path: path.stat().st_mtime_ns
        for path in root.rglob("*")
        if path.is_file() and path.parent.name != "locks"
    }


def test_second_run_with_nothing_to_do_writes_nothing(store: Store) -> None:
    first = run(store, {"a": "one two", "b": ""})
    before = files(store)

    second = run(store, {"a": "one two", "b": ""})

    assert second == first
    assert files(store) == before


def test_only_new_changed_and_failed_objects_are_to_do(store: Store) -> None:
    run(store, {"same": "one", "changed": "two", "failed": "three !", "empty": ""})

    with store.lock(COLLECTION, "run-2"):
        writer = open_writer(
            store, {"same": "one", "changed": "2", "failed": "three !", "empty": "", "new": "four"}
        )

    assert list(writer.todo) == ["changed", "failed", "new"]


def test_objects_committed_by_a_run_that_ended_early_are_not_to_do(store: Store) -> None:
    objects = {"committed": "one", "failed": "two !", "buffered": "three"}
    with store.lock(COLLECTION, "run-1"):
        writer = open_writer(store, objects)
        writer.fail(["failed"])
        writer.add(make_rows(make_manifest(), {"committed": "one", "failed": "two !"}))
        writer.flush()
        writer.add(make_rows(make_manifest(), {"buffered": "three"}))

    with store.lock(COLLECTION, "run-2"):
        again = open_writer(store, objects)

    assert list(again.todo) == ["failed", "buffered"]


def test_rows_committed_for_content_that_changed_since_are_forgotten(store: Store) -> None:
    with store.lock(COLLECTION, "run-1"):
        writer = open_writer(store, {"a": "one"})
        writer.add(make_rows(make_manifest(), {"a": "one"}))
        writer.flush()

    record = run(store, {"a": "two"})

    assert (words(store), record.documents) == ({"two"}, 1)


def test_checkpoint_of_a_source_is_not_seen_when_another_is_published(store: Store) -> None:
    with store.lock(COLLECTION, "run-1"):
        writer = open_writer(store, {"a": "unpublished"}, source="shelf")
        writer.add(make_rows(make_manifest(), {"a": "unpublished"}))
        writer.flush()

    run(store, {"b": "published"}, source="other shelf")

    assert words(store) == {"published"}


def test_objects_that_left_their_source_leave_the_table_and_others_stay(store: Store) -> None:
    run(store, {"a": "one", "b": "two"}, source="shelf")
    run(store, {"c": "three"}, source="other shelf")

    run(store, {"b": "two"}, source="shelf")

    assert words(store) == {"two", "three"}


def test_object_of_two_sources_belongs_to_the_one_published_last(store: Store) -> None:
    run(store, {"both": "mine"}, source="shelf")
    run(store, {"both": "theirs"}, source="other shelf")

    assert words(store) == {"theirs"}


def test_source_takes_back_what_another_source_took_and_lost(store: Store) -> None:
    run(store, {"both": "mine"}, source="shelf")
    run(store, {"both": "theirs"}, source="other shelf")
    run(store, {}, source="other shelf")

    run(store, {"both": "mine"}, source="shelf")

    assert words(store) == {"mine"}


def test_record_says_what_is_published(store: Store) -> None:
    record = run(store, {"a": "one two", "b": "", "c": "three !"})

    source = record.sources["shelf"]
    assert (record.documents, record.documents_in) == (3, DocumentsIn.TABLE)
    assert (source.objects, source.failed, source.run_id) == (3, ("c",), "run-1")
    assert store.record(COLLECTION, "embedder", "1.0.0") == record
    assert store.pointer(COLLECTION, "embedder") == "1.0.0"


def test_table_that_was_written_many_times_is_compacted_and_reads_the_same(tmp_path: Path) -> None:
    often = {str(number): f"word{number}" for number in range(40)}
    for number in range(1, 41):
        run_in(tmp_path / "often", None, dict(list(often.items())[:number]))
    run_in(tmp_path / "once", None, often)

    with (
        Store.open(tmp_path / "often", create=False) as store,
        Store.open(tmp_path / "once", create=False) as once,
    ):
        assert contents(store, None) == contents(once, None)
        [record] = store.records()
        assert store.published(record).handle.stats()["fragment_stats"]["num_fragments"] < 32


def test_features_that_changed_without_a_new_version_are_refused(store: Store) -> None:
    run(store, {"a": "one"})
    wider = make_manifest(vectors=(VectorFeature(name="embedding", dimensions=3),))

    with pytest.raises(
        StoreError, match=r"embedding \(3, cosine\).*embedding \(2, cosine\).*bump the version"
    ):
        run(store, {"a": "one"}, manifest=wider)


def test_features_may_change_until_something_is_published(store: Store) -> None:
    with store.lock(COLLECTION, "run-1"):
        writer = open_writer(store, {"a": "one"})
        writer.add(make_rows(make_manifest(), {"a": "one"}))
        writer.flush()
    wider = make_manifest(vectors=(VectorFeature(name="embedding", dimensions=3),))

    record = run(store, {"a": "one"}, manifest=wider)

    assert (record.features, record.documents) == (wider.vectors, 1)


def test_documents_of_features_that_were_never_published_are_pruned(
    mongodb_store: Store, database: str
) -> None:
    with mongodb_store.lock(COLLECTION, "run-1"):
        writer = open_writer(mongodb_store, {"a": "one"})
        writer.add(make_rows(make_manifest(), {"a": "one"}))
        writer.flush()
    wider = make_manifest(vectors=(VectorFeature(name="embedding", dimensions=3),))

    run(mongodb_store, {"a": "two"}, manifest=wider)

    assert [found["document"] for found in mongodb_documents(mongodb_store, database)] == [{"word": "two"}]


def test_rows_that_a_commit_could_part_are_refused(store: Store) -> None:
    with store.lock(COLLECTION, "run-1"):
        writer = open_writer(store, {"a": "one"})
        writer.add(make_rows(make_manifest(), {"a": "one"}))

        with pytest.raises(ValueError, match="'a' came in two calls"):
            writer.add(make_rows(make_manifest(), {"a": "one"}))


def test_rows_of_an_object_that_was_not_to_do_are_refused(store: Store) -> None:
    with store.lock(COLLECTION, "run-1"):
        writer = open_writer(store, {"a": "one"})

        with pytest.raises(ValueError, match="'b' is not one that this run was to take"):
            writer.add(make_rows(make_manifest(), {"b": "one"}))


def test_failure_of_an_object_that_was_not_to_do_is_refused(store: Store) -> None:
    with store.lock(COLLECTION, "run-1"):
        writer = open_writer(store, {"a": "one"})

        with pytest.raises(ValueError, match="'b' is not one that this run was to take"):
            writer.fail(["b"])


@pytest.mark.parametrize(
    ("thresholds", "want"),
    [
        pytest.param(Thresholds(), [0, 0, 0, 1], id="none is reached"),
        pytest.param(Thresholds(rows=2), [0, 1, 1, 2], id="rows"),
        pytest.param(Thresholds(bytes=1), [1, 2, 3, 3], id="bytes"),
        pytest.param(Thresholds(seconds=15), [0, 1, 1, 2], id="seconds"),
    ],
)
def test_rows_are_committed_when_a_threshold_is_reached(
    store: Store, thresholds: Thresholds, want: list[int]
) -> None:
    steps: list[str] = []
    commits = []
    objects = {"a": "one", "b": "two", "c": "three"}
    clock = itertools.count(0, 10).__next__
    with store.lock(COLLECTION, "run-1"):
        writer = open_writer(store, objects, on_step=steps.append, thresholds=thresholds, clock=clock)
        for object_id, text in objects.items():
            writer.add(make_rows(make_manifest(), {object_id: text}))
            commits.append(steps.count("commit_rows"))
        writer.flush()
        commits.append(steps.count("commit_rows"))

    assert commits == want


def test_checkpoint_that_a_kill_left_half_removed_is_removed(store: Store) -> None:
    run(store, {"a": "one"})
    rest = store.layout.checkpoints(COLLECTION, "embedder", "1.0.0", "shelf") / "0.dropped" / "rows.lance"
    rest.mkdir(parents=True)
    (rest / "half").write_text("x")

    run(store, {"a": "one"})

    assert leftovers(store.layout.root) == []


def test_writer_without_the_lock_is_refused(store: Store) -> None:
    with pytest.raises(RuntimeError, match="lock"):
        open_writer(store, {"a": "one"})


def test_collection_named_like_a_path_is_refused(store: Store) -> None:
    refusal = pytest.raises(StoreError, match=r"'\.\./x' cannot name a collection")
    with refusal, store.lock("../x", "run-1"):
        pass


@pytest.mark.parametrize("documents", ["folder", "mongodb"])
def test_reader_during_publications_sees_one_state_or_the_other(
    tmp_path: Path, documents: str, request: pytest.FixtureRequest
) -> None:
    uri = None if documents == "folder" else request.getfixturevalue("database")
    states = [{str(i): f"{name}{i}" for i in range(20)} for name in ("old", "new")]
    want = [set(state.values()) for state in states]
    seen: list[set[str]] = []
    published = threading.Event()

    def read() -> None:
        with Store.open(tmp_path, create=False, mongodb_uri=uri) as reader:
            while not published.is_set():
                seen.append(words(reader))

    run_in(tmp_path, uri, states[0])
    thread = threading.Thread(target=read)
    thread.start()
    try:
        for turn in range(1, 9):
            run_in(tmp_path, uri, states[turn % 2])
    finally:
        published.set()
        thread.join(60)

    assert all(state in want for state in seen)
    assert all(state in seen for state in want)


def test_documents_of_a_former_revision_are_pruned(mongodb_store: Store, database: str) -> None:
    run(mongodb_store, {"a": "one two", "b": "three"})

    run(mongodb_store, {"a": "four"})

    assert [found["document"] for found in mongodb_documents(mongodb_store, database)] == [{"word": "four"}]


def test_document_that_moved_to_another_source_is_kept(mongodb_store: Store) -> None:
    run(mongodb_store, {"a": "one"}, source="shelf")

    run(mongodb_store, {"a": "one"}, source="other shelf")

    assert words(mongodb_store) == {"one"}


def test_stores_that_share_a_database_do_not_prune_each_other(tmp_path: Path, database: str) -> None:
    run_in(tmp_path / "one", database, {"a": "same"})
    run_in(tmp_path / "two", database, {"a": "same"})

    run_in(tmp_path / "two", database, {})

    with Store.open(tmp_path / "one", create=False, mongodb_uri=database) as store:
        assert words(store) == {"same"}


def test_published_document_that_mongodb_lost_is_reported(tmp_path: Path, server: str) -> None:
    with fresh_database(server) as uri:
        run_in(tmp_path, uri, {"a": "one"})
    with (
        Store.open(tmp_path, create=False, mongodb_uri=uri) as store,
        pytest.raises(StoreError, match=r"document doc_\w+ of collection books is published, but missing"),
    ):
        words(store)


def test_documents_in_mongodb_are_refused_without_its_uri(tmp_path: Path, database: str) -> None:
    run_in(tmp_path, database, {"a": "one"})

    with Store.open(tmp_path, create=False) as store:
        with pytest.raises(StoreError, match="in MongoDB: set MONGODB_URI"):
            run(store, {"a": "one"})
        with pytest.raises(StoreError, match="in MongoDB: set MONGODB_URI"):
            words(store)


def test_documents_in_the_folder_are_refused_with_a_mongodb_uri(tmp_path: Path, database: str) -> None:
    run_in(tmp_path, None, {"a": "one"})

    with (
        Store.open(tmp_path, create=False, mongodb_uri=database) as store,
        pytest.raises(StoreError, match="in the store: unset MONGODB_URI"),
    ):
        run(store, {"a": "one"})


def test_checkpoint_without_documents_in_mongodb_is_taken_again(tmp_path: Path, database: str) -> None:
    with Store.open(tmp_path, create=True) as store, store.lock(COLLECTION, "run-1"):
        writer = open_writer(store, {"a": "one"})
        writer.add(make_rows(make_manifest(), {"a": "one"}))
        writer.flush()

    run_in(tmp_path, database, {"a": "one"})

    with Store.open(tmp_path, create=False, mongodb_uri=database) as store:
        assert words(store) == {"one"}


def test_mongodb_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    uri = "mongodb://user:hunter2@127.0.0.1:9/books?serverSelectionTimeoutMS=10"

    with pytest.raises(StoreError, match=r"^MongoDB at 127.0.0.1:9 does not answer") as raised:
        run_in(tmp_path, uri, {"a": "one"})

    assert "hunter2" not in "".join(map(str, (raised.value, raised.value.__cause__)))
    assert not any(b"hunter2" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
