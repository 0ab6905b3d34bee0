"""Whom what comes in from the cluster wakes: not those whose own doing it is."""

from collections.abc import Callable
from typing import Any

import pytest

from extractor_operator.inbox import Inbox
from extractor_operator.relations import Key
from extractor_operator.store import Store

API = "extractors.mixpeek.com/v1alpha1"
RUN = Key("ExtractorRun", "team", "news-1")
JOB = Key("RayJob", "team", "news-1-a")
COLLECTION = Key("Collection", "team", "news")


class Queue:
    """Notes what is added, and when it is due."""

    def __init__(self) -> None:
        self.added: dict[Key, float] = {}

    def add(self, key: Key, *, after: float = 0.0, renewed: bool = False) -> None:
        self.added[key] = min(after, self.added.get(key, after))


def body(key: Key, version: int, owner: Key | None = None, **more: Any) -> dict[str, Any]:
    owners = [
        {"apiVersion": API, "kind": each.kind, "name": each.name, "uid": "o", "controller": True}
        for each in (owner,)
        if each
    ]
    spec = {"extractor": "text", "collection": "news"}
    return {
        "apiVersion": "ray.io/v1" if key == JOB else API,
        "kind": key.kind,
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "uid": f"uid-of-{key.name}",
            "generation": more.pop("generation", 1),
            "resourceVersion": str(version),
            "ownerReferences": owners,
        },
        "spec": spec,
        **more,
    }


@pytest.fixture
def inbox() -> Inbox:
    """Give one that knows a collection and a run of it."""
    inbox = Inbox(Store(), Queue(), frozenset({"ExtractorRun", "Collection"}))  # type: ignore[arg-type]
    inbox.seen(body(COLLECTION, 1))
    inbox.seen(body(RUN, 2, COLLECTION))
    woken(inbox)
    return inbox


def woken(inbox: Inbox) -> dict[Key, float]:
    """Give who was woken since the last time."""
    queue: Any = inbox.queue
    added, queue.added = queue.added, {}
    return added


def test_what_somebody_else_has_made_is_looked_at_at_once(inbox: Inbox) -> None:
    inbox.seen(body(JOB, 3, RUN))

    assert woken(inbox) == {RUN: 0.0}


TELLS: tuple[Callable[[Inbox, dict[str, Any]], object], ...] = (
    Inbox.made,
    lambda inbox, answer: (inbox.seen(answer), inbox.made(answer)),
)


@pytest.mark.parametrize("tell", TELLS, ids=["by the answer", "by a watch before the answer"])
def test_who_has_made_an_object_looks_at_it_later(
    inbox: Inbox, tell: Callable[[Inbox, dict[str, Any]], object]
) -> None:
    with inbox.expecting(JOB):
        tell(inbox, body(JOB, 3, RUN))

    assert woken(inbox) == {RUN: 2.0}


def test_what_was_made_is_looked_at_at_once_when_it_says_something(inbox: Inbox) -> None:
    inbox.made(body(JOB, 3, RUN))
    inbox.seen(body(JOB, 4, RUN, status={"jobDeploymentStatus": "Initializing"}))

    assert woken(inbox)[RUN] == 0.0


def test_an_object_of_ours_that_was_made_is_reconciled_at_once(inbox: Inbox) -> None:
    second = Key("ExtractorRun", "team", "news-2")

    inbox.made(body(second, 3, COLLECTION))

    assert woken(inbox) == {second: 0.0, COLLECTION: 2.0}


def test_the_watch_of_our_own_write_wakes_only_others(inbox: Inbox) -> None:
    with inbox.expecting(RUN):
        inbox.seen(body(RUN, 5, COLLECTION, status={"attempts": 1}))

    assert woken(inbox) == {COLLECTION: 0.0}


def test_another_spec_that_is_told_while_we_write_is_reconciled(inbox: Inbox) -> None:
    with inbox.expecting(RUN):
        inbox.seen(body(RUN, 5, COLLECTION, generation=2))

    assert woken(inbox)[RUN] == 0.0


def test_nothing_is_expected_after_a_write_that_failed(inbox: Inbox) -> None:
    with pytest.raises(TimeoutError), inbox.expecting(RUN):
        raise TimeoutError

    inbox.seen(body(RUN, 5, COLLECTION, status={"attempts": 1}))

    assert woken(inbox) == {RUN: 0.0, COLLECTION: 0.0}
