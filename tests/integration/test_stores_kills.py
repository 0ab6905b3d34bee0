"""Runs that are killed at each of their steps, on real LanceDB folders and the MongoDB wire protocol."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from extractor_apis.naming import FeatureURI
from extractor_stores import Store, publication, search
from support.children import die_at_step
from support.mongodb import fresh_database, mongodb_server
from support.stores import contents, leftovers, make_manifest, run_in, vector_of

pytestmark = pytest.mark.integration

OTHER_SHELF = {"theirs": "one", "taken over": "two three"}
BEFORE = {"changed": "four five", "removed": "six", "same": "seven", "emptied": "eight", "failing": "nine !"}
AFTER = {
    "changed": "ten",
    "same": "seven",
    "emptied": "",
    "failing": "nine !",
    "new": "eleven twelve",
    "taken over": "thirteen",
    "partly": "fourteen !",
}
COMMITS = ("commit_rows", "commit_rows#2")
DOCUMENT_COMMITS = ("commit_documents", "commit_documents#2")
REPLACE = tuple(step.__name__ for step in publication.REPLACE)
SETTLE = tuple(step.__name__ for step in publication.SETTLE)

Prepare = Callable[[Path, str | None], None]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with mongodb_server() as uri:
        yield uri


@pytest.fixture
def database(server: str) -> Iterator[str]:
    with fresh_database(server) as uri:
        yield uri


@pytest.mark.parametrize("step", [*COMMITS, *REPLACE, *SETTLE])
def test_run_after_a_kill_leaves_what_a_clean_run_does(tmp_path: Path, step: str) -> None:
    old, new, want = outcomes(run_before, None)
    run_before(tmp_path, None)

    die_at_step(step, tmp_path, None, AFTER)
    seen = words(tmp_path, None)
    run_in(tmp_path, None, AFTER)

    assert seen == (new if step in SETTLE else old)
    assert (look(tmp_path, None), leftovers(tmp_path)) == (want, [])


@pytest.mark.parametrize("step", [*COMMITS, *DOCUMENT_COMMITS, *REPLACE, *SETTLE])
def test_run_after_a_kill_leaves_what_a_clean_run_does_in_mongodb(
    tmp_path: Path, server: str, database: str, step: str
) -> None:
    old, new, want = outcomes(run_before, server)
    run_before(tmp_path, database)

    die_at_step(step, tmp_path, database, AFTER)
    seen = words(tmp_path, database)
    run_in(tmp_path, database, AFTER)

    assert seen == (new if step in SETTLE else old)
    assert (look(tmp_path, database), leftovers(tmp_path)) == (want, [])


@pytest.mark.parametrize("step", [*COMMITS, *REPLACE, *SETTLE])
def test_version_answers_only_once_its_pointer_moved(tmp_path: Path, step: str) -> None:
    old, new, want = outcomes(run_earlier_version, None)
    run_earlier_version(tmp_path, None)

    die_at_step(step, tmp_path, None, AFTER)
    seen = words(tmp_path, None)
    run_in(tmp_path, None, AFTER)

    assert seen == (new if step in SETTLE and step != "move_pointer" else old)
    assert (look(tmp_path, None), leftovers(tmp_path)) == (want, [])


def test_table_of_kills_has_every_step_of_a_run(tmp_path: Path, database: str) -> None:
    steps: list[str] = []
    run_before(tmp_path, database)

    run_in(tmp_path, database, AFTER, on_step=steps.append)

    commits = [step for pair in zip(COMMITS, DOCUMENT_COMMITS, strict=True) for step in pair]
    assert steps == [*(step.partition("#")[0] for step in commits), *REPLACE, *SETTLE]


def run_before(root: Path, uri: str | None) -> None:
    run_in(root, uri, OTHER_SHELF, source="other shelf")
    run_in(root, uri, BEFORE)


def run_earlier_version(root: Path, uri: str | None) -> None:
    run_in(root, uri, BEFORE, manifest=make_manifest(version="0.9.0"))


@cache
def outcomes(prepare: Prepare, server: str | None) -> tuple[set[str], set[str], Any]:
    """Say what a search finds before a run that nothing kills and after, and what is in the store then."""
    with TemporaryDirectory() as folder, fresh_database(server) if server else nullcontext() as uri:
        prepare(Path(folder), uri)
        old = words(Path(folder), uri)
        run_in(Path(folder), uri, AFTER)
        return old, words(Path(folder), uri), look(Path(folder), uri)


def words(root: Path, uri: str | None) -> set[str]:
    with Store.open(root, create=False, mongodb_uri=uri) as store:
        hits = search(store, FeatureURI("embedder"), vector_of("word"), limit=1000)
        return {hit.document["word"] for hit in hits}


def look(root: Path, uri: str | None) -> Any:
    with Store.open(root, create=False, mongodb_uri=uri) as store:
        return contents(store, uri)
