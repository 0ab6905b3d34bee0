"""Who is woken when an object changes: those who read it, and only if they would read something else."""

from typing import Any

import pytest

from extractor_operator.relations import Key, Mark
from extractor_operator.store import Store

OWNED = [
    {
        "apiVersion": "extractors.mixpeek.com/v1alpha1",
        "kind": "ExtractorRun",
        "name": "run",
        "controller": True,
    }
]


def body(
    kind: str, name: str, version: int = 1, *, api: str = "extractors.mixpeek.com/v1alpha1", **parts: Any
) -> Any:
    owners = parts.pop("owners", [])
    metadata = {
        "name": name,
        "namespace": "team",
        "uid": name,
        "generation": 1,
        "resourceVersion": str(version),
    }
    return {"apiVersion": api, "kind": kind, "metadata": {**metadata, "ownerReferences": owners}, **parts}


COLLECTION = body("Collection", "news", spec={"extractor": "text"})
RUN = body("ExtractorRun", "run", spec={"extractor": "text", "collection": "news"})


def seen(*bodies: Any) -> Store:
    store = Store()
    for each in bodies:
        store.put(each)
    return store


@pytest.mark.parametrize(
    ("changed", "want"),
    [
        pytest.param(
            body("ExtractorVersion", "text-1.0.0", spec={"extractor": "text"}),
            {"Extractor/text", "Collection/news", "ExtractorRun/run"},
            id="a version wakes its extractor, and what flows through that",
        ),
        pytest.param(
            body("Extractor", "text", spec={"version": "1.0.0"}),
            {"Collection/news", "ExtractorRun/run"},
            id="an extractor wakes what flows through it",
        ),
        pytest.param(
            body("Collection", "news", 2, spec={"extractor": "text"}, status={"publishedVersion": "1.0.0"}),
            {"Extractor/text", "ExtractorRun/run"},
            id="a collection that publishes wakes its extractor and its runs",
        ),
        pytest.param(
            body("ExtractorRun", "run", 2, spec=RUN["spec"], status={"done": 3}),
            {"Collection/news"},
            id="a run wakes its collection with every object",
        ),
        pytest.param(
            body("ExtractorRun", "other", spec=RUN["spec"], status={"finished": "2026-01-01T00:00:00Z"}),
            {"Collection/news", "ExtractorRun/run", "ExtractorRun/other"},
            id="a run that ends wakes those that wait for their turn",
        ),
        pytest.param(
            body("RayJob", "run-1", api="ray.io/v1", owners=OWNED, status={"jobStatus": "RUNNING"}),
            {"ExtractorRun/run"},
            id="a workload wakes what it was made for",
        ),
        pytest.param(
            body("Collection", "news", 2, spec={"extractor": "text"}, status={"progress": "3 %"}),
            set(),
            id="what nobody reads wakes nobody",
        ),
    ],
)
def test_those_are_woken_who_read_it(changed: Any, want: set[str]) -> None:
    store = seen(COLLECTION, RUN)

    change = store.put(changed)

    assert change is not None
    assert {f"{key.kind}/{key.name}" for key in change.dependents} == want


def test_a_deletion_wakes_those_who_read_it() -> None:
    store = seen(COLLECTION, RUN)

    other = body("ExtractorRun", "other", spec=RUN["spec"])
    store.put(other)

    change = store.remove(RUN)

    waiting = Key("ExtractorRun", "team", "other")
    assert change is not None and change.dependents == (Key("Collection", "team", "news"), waiting)


def test_children_are_found_by_what_they_were_made_for() -> None:
    job = body(
        "RayJob", "run-1", api="ray.io/v1", owners=OWNED, spec={"suspend": True, "entrypoint": "python"}
    )
    store = seen(RUN, job)

    found = store.children(Key("ExtractorRun", "team", "run"), "RayJob")

    assert {name: each["spec"] for name, each in found.items()} == {"run-1": {"suspend": True}}


def test_what_an_object_is_not_any_more_does_not_find_it() -> None:
    store = seen(body("Collection", "news", spec={"extractor": "text"}, status={"publishedVersion": "1.0.0"}))

    store.put(body("Collection", "news", 2, spec={"extractor": "text"}, status={"publishedVersion": "2.0.0"}))

    marks = [Mark("Collection", "team", "published", f"text@{each}.0.0") for each in (1, 2)]
    assert [len(store.find(mark)) for mark in marks] == [0, 1]
