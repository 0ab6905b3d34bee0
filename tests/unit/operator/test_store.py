"""What was last seen: the newest wins, whatever the order; only news are told."""

import json
from typing import Any

import pytest

from extractor_operator.relations import Key
from extractor_operator.store import Change, Said, Store

KEY = Key("ExtractorVersion", "team", "text-1.0.0")
READER = (Key("Extractor", "team", "text"),)


def body(version: int, *, uid: str = "one", generation: int = 1, **metadata: Any) -> dict[str, Any]:
    return {
        "kind": "ExtractorVersion",
        "metadata": {
            "name": "text-1.0.0",
            "namespace": "team",
            "uid": uid,
            "generation": generation,
            "resourceVersion": str(version),
            **metadata,
        },
        "spec": {"extractor": "text"},
    }


@pytest.mark.parametrize(
    ("seen", "want"),
    [
        pytest.param(body(10), None, id="the same again is no news"),
        pytest.param(body(9), None, id="an older one is no news"),
        pytest.param(body(11), Change(KEY, is_renewed=False), id="another status is news"),
        pytest.param(
            body(11, generation=2),
            Change(KEY, is_renewed=True, dependents=READER),
            id="another spec asks for more",
        ),
        pytest.param(
            body(11, annotations={"extractors.mixpeek.com/requested-at": "now"}),
            Change(KEY, is_renewed=True),
            id="a request asks for more",
        ),
        pytest.param(
            body(11, uid="two"),
            Change(KEY, is_renewed=True, dependents=READER),
            id="another object of that name",
        ),
        pytest.param(body(9, uid="two"), None, id="one that had the name before is no news"),
    ],
)
def test_news_are_told(seen: dict[str, Any], want: Change | None) -> None:
    store = Store()
    store.put(body(10))

    assert store.put(seen) == want


def test_only_what_a_reconcile_reads_is_kept() -> None:
    store = Store()
    store.put(body(10, managedFields=[{"manager": "kubectl"}], annotations={"long": "x" * 1000}))

    seen = store.get(KEY)

    assert seen is not None
    assert json.loads(seen.content) == {
        "metadata": {
            "name": "text-1.0.0",
            "namespace": "team",
            "uid": "one",
            "generation": 1,
            "resourceVersion": "10",
        },
        "spec": {"extractor": "text"},
        "status": {},
    }


def test_a_deletion_that_comes_late_does_not_remove_the_next_object() -> None:
    store = Store()
    store.put(body(12, uid="two"))

    assert store.remove(body(11)) is None
    assert store.get(KEY) is not None


def test_what_a_list_lacks_is_dropped_unless_it_came_meanwhile() -> None:
    store = Store()
    store.put(body(10))
    before = tuple(store)
    store.put(body(11, name="new-1.0.0"))

    gone = list(store.drop("ExtractorVersion", keep=set(), before=before))

    assert gone == [Change(KEY, is_renewed=True, dependents=READER)]
    assert tuple(store) == (Key("ExtractorVersion", "team", "new-1.0.0"),)


def test_conditions_are_counted_as_they_come_and_go() -> None:
    store = Store()
    ready = {"conditions": [{"type": "Ready", "status": "True", "reason": "Succeeded"}]}
    rejected = {"conditions": [{"type": "Ready", "status": "False", "reason": "ScanRejected"}]}
    other = body(10, uid="other", name="text-2.0.0")

    store.put({**body(10), "status": ready})
    store.put({**other, "status": ready})
    both = dict(store.conditions)
    store.put({**body(11), "status": rejected})
    changed = dict(store.conditions)
    store.remove(body(11))
    store.remove(other)

    is_ready = Said("ExtractorVersion", "team", "Ready", "True", "Succeeded")
    is_rejected = Said("ExtractorVersion", "team", "Ready", "False", "ScanRejected")
    assert both == {is_ready: 2}
    assert changed == {is_ready: 1, is_rejected: 1}
    assert not store.conditions
