"""Which run a collection asks for, which it has seen to, and which it need not keep."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from extractor_apis.collection import Collection
from extractor_apis.conditions import Reason
from extractor_apis.extractorrun import ExtractorRun
from extractor_apis.results import CompletionRecord, DocumentsIn, SourceRecord
from extractor_operator.collections import decide, schedule
from extractor_operator.collections.decide import Request, Wanted
from extractor_operator.errors import Stalled
from support import made

ANNOTATION = "extractors.mixpeek.com/requested-at"
OWNED = [
    {"apiVersion": "extractors.mixpeek.com/v1alpha1", "kind": "Collection", "name": "news", "uid": "uid-news"}
]


def wanted(version: str = "1.0.0", digest: str = "sha256:1", recorded: Sequence[str] = ()) -> Wanted:
    return Wanted(made.extractor(version), version, digest, frozenset(recorded))


def ask(
    collection: Collection, what: Wanted | None = None, runs: Sequence[ExtractorRun] = (), seconds: float = 0
) -> Request | None:
    return decide.request(collection, what or wanted(), runs, later(seconds))


def later(seconds: float) -> datetime:
    return made.NOW + timedelta(seconds=seconds)


def name(collection: Collection, what: Wanted | None = None) -> str:
    asked = ask(collection, what)
    assert asked is not None
    return asked.name


def ended(number: int, *, well: bool = True, owners: Any = OWNED) -> ExtractorRun:
    """Build a run that ended so many seconds after the beginning."""
    succeeded = {
        "type": "Succeeded",
        "status": "True" if well else "False",
        "reason": "Succeeded" if well else "Failed",
        "message": "said",
        "lastTransitionTime": made.at(number),
    }
    status = {"attempts": 1, "finished": made.at(number), "conditions": [succeeded]}
    return made.run(f"news-{number}", metadata={"ownerReferences": owners}, status=status)


def test_a_new_collection_asks_for_a_run_of_the_active_version() -> None:
    asked = ask(made.collection())

    assert asked == Request(name(made.collection()), "1.0.0")
    assert asked.name.startswith("news-1-0-0-")


@pytest.mark.parametrize(
    ("owners", "want"),
    [
        pytest.param([{**OWNED[0], "controller": True}], True, id="its own"),
        pytest.param([], True, id="one that was made by hand"),
        pytest.param(
            [{**OWNED[0], "controller": True, "uid": "gone"}], False, id="one that goes with another"
        ),
    ],
)
def test_a_run_of_a_collection_that_had_the_name_is_not_this_ones(owners: Any, want: bool) -> None:
    run = made.run(metadata={"ownerReferences": owners})

    assert decide.concerns(made.collection(), run) is want


def test_the_same_question_has_the_same_name() -> None:
    assert name(made.collection(metadata={"uid": "another"})) == name(made.collection())


@pytest.mark.parametrize(
    ("collection", "what"),
    [
        pytest.param(made.collection(), wanted("2.0.0"), id="another version"),
        pytest.param(made.collection(), wanted(digest="sha256:2"), id="another artifact"),
        pytest.param(made.collection(source={"url": "s3://other/"}), wanted(), id="another source"),
        pytest.param(made.collection(parameters={"size": 3}), wanted(), id="other parameters"),
        pytest.param(made.collection(inputMappings={"text": "body"}), wanted(), id="other mappings"),
        pytest.param(
            made.collection(metadata={"annotations": {ANNOTATION: "now"}}), wanted(), id="a request"
        ),
    ],
)
def test_what_changes_the_result_asks_for_another_run(collection: Collection, what: Wanted) -> None:
    assert name(collection, what) != name(made.collection())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"retries": 5}, id="retries"),
        pytest.param({"errorBudget": {"count": 3}}, id="the error budget"),
        pytest.param({"history": {"succeeded": 1}}, id="the history"),
    ],
)
def test_what_changes_no_result_asks_for_nothing(change: dict[str, Any]) -> None:
    assert name(made.collection(**change)) == name(made.collection())


def test_what_was_asked_for_is_not_asked_again() -> None:
    first = name(made.collection())
    known = {"requested": [first]}

    assert ask(made.collection(), runs=[made.run(first)]) is None, "its run is there"
    assert ask(made.collection(status=known)) is None, "its run was deleted"
    assert ask(made.collection(), wanted(recorded=[first])) is None, "the results have it"


def test_a_version_that_comes_back_is_run_once_so_that_readers_follow() -> None:
    first = name(made.collection())
    back = Wanted(made.extractor(), "1.0.0", "sha256:1", frozenset([first]), "news-2-0-0-abc")
    asked = ask(made.collection(status={"requested": [first]}), back)
    assert asked is not None
    both = decide.seen_to(made.collection(), back, asked, made.NOW)

    assert asked.name != first
    assert ask(made.collection(status=both), back) is None, "not twice, though its run failed and was removed"
    assert (
        ask(made.collection(status=both), dataclasses.replace(back, elsewhere="news-2-0-0-def")) is not None
    )


@pytest.mark.parametrize(
    ("version", "runs", "want"),
    [
        pytest.param("2.0.0", [], None, id="what is wanted answers"),
        pytest.param("1.0.0", [], "news-2-0-0-first", id="by what the results have"),
        pytest.param("1.0.0", ["news-2-0-0-again"], "news-2-0-0-again", id="by its last run"),
    ],
)
def test_what_answers_elsewhere_is_known_by_its_last_run(
    version: str, runs: list[str], want: str | None
) -> None:
    source = SourceRecord(
        revision="1", publications=1, objects=1, run_id="news-2-0-0-first", completed=made.NOW
    )
    published = CompletionRecord(
        collection="news",
        extractor="text",
        version="2.0.0",
        artifact_digest="sha256:2",
        features=(),
        documents_in=DocumentsIn.TABLE,
        table_version=1,
        documents=1,
        sources={"s3://bucket/news/": source},
    )
    others = [
        made.run(each, version="2.0.0", status=ended(1).status.model_dump(by_alias=True, exclude_none=True))
        for each in runs
    ]

    assert decide.elsewhere(published, version, others) == want


def test_a_collection_that_is_run_by_hand_asks_only_when_it_is_asked() -> None:
    assert ask(made.collection(ingest="manual")) is None
    assert ask(made.collection(ingest="manual", metadata={"annotations": {ANNOTATION: "now"}})) is not None


def test_a_schedule_asks_once_for_every_time_and_once_for_all_that_were_missed() -> None:
    hourly = {"ingest": "onSchedule", "schedule": "0 * * * *"}
    new = made.collection(**hourly)

    before, due = ask(new, seconds=3599), ask(new, seconds=3601)
    missed = ask(new, seconds=5 * 3600)
    seen = made.collection(**hourly, status=decide.seen_to(new, wanted(), due, later(3601)))

    assert (before, due and due.scheduled, missed and missed.scheduled) == (
        None,
        made.at(3600),
        made.at(18_000),
    )
    assert ask(seen, seconds=3700) is None
    assert ask(seen, seconds=7200) is not None


def test_a_request_goes_before_the_schedule_which_is_not_forgotten() -> None:
    both = made.collection(
        ingest="onSchedule", schedule="0 * * * *", metadata={"annotations": {ANNOTATION: "now"}}
    )

    first = ask(both, seconds=3601)
    status = decide.seen_to(both, wanted(), first, later(3601))
    second = ask(both.model_copy(update={"status": made.collection(status=status).status}), seconds=3601)

    assert first and first.scheduled is None and "scheduled" not in status
    assert second and second.scheduled == made.at(3600)


@pytest.mark.parametrize(
    ("zone", "want"),
    [
        pytest.param(None, "2026-01-02T03:00:00+00:00", id="in UTC"),
        pytest.param("Europe/Berlin", "2026-01-02T03:00:00+01:00", id="in a zone"),
    ],
)
def test_a_schedule_has_a_next_time(zone: str | None, want: str) -> None:
    spec = made.collection(ingest="onSchedule", schedule="0 3 * * *", timeZone=zone).spec

    following = schedule.following(spec, made.NOW)

    assert following is not None and following.isoformat() == want


@pytest.mark.parametrize("name", ["@hourly", "@daily", "@weekly", "@monthly", "@yearly"])
def test_the_names_of_schedules_are_known(name: str) -> None:
    spec = made.collection(ingest="onSchedule", schedule=name).spec

    assert schedule.following(spec, made.NOW) is not None


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"schedule": "61 * * * *"}, id="no minute"),
        pytest.param({"schedule": "0 3 * * *", "timeZone": "Europe/Nowhere"}, id="no zone"),
        pytest.param({"schedule": "0 3 * * *", "timeZone": "../../etc/passwd"}, id="no name of a zone"),
    ],
)
def test_what_is_no_schedule_is_told(spec: dict[str, str]) -> None:
    with pytest.raises(Stalled) as stop:
        schedule.following(made.collection(ingest="onSchedule", **spec).spec, made.NOW)

    assert stop.value.reason is Reason.SCHEDULE_INVALID


def test_a_schedule_that_missed_more_than_can_be_counted_asks_for_one_run_now() -> None:
    spec = made.collection(ingest="onSchedule", schedule="* * * * *").spec

    assert schedule.last(spec, made.NOW, later(90_000)) == later(90_000)


def test_runs_beyond_the_history_go_the_oldest_first() -> None:
    runs = [ended(number) for number in range(5)] + [ended(10, well=False)]
    collection = made.collection(history={"succeeded": 2, "failed": 1})

    gone = decide.expired(collection, runs, later(20))

    assert [run.metadata.name for run in gone] == ["news-2", "news-1", "news-0"]


def test_runs_that_somebody_made_by_hand_are_theirs_to_remove() -> None:
    runs = [ended(number, owners=[]) for number in range(5)]

    assert decide.expired(made.collection(history={"succeeded": 0}), runs, later(20)) == ()


def test_runs_go_after_their_time_and_we_look_again_then() -> None:
    collection, runs = made.collection(ttlSecondsAfterFinished=60), [ended(0), ended(30)]

    gone = decide.expired(collection, runs, later(61))

    assert [run.metadata.name for run in gone] == ["news-0"]
    assert decide.look_again(collection, runs, later(61)) == 30


def test_a_suspended_schedule_has_no_next_time() -> None:
    suspended = made.collection(ingest="onSchedule", schedule="0 * * * *", suspend=True)

    assert decide.look_again(suspended, (), made.NOW) is None


def test_the_run_that_has_its_turn_is_the_one_under_way() -> None:
    older = made.run("news-a", metadata={"creationTimestamp": made.at(0)})
    begun = made.run("news-b", metadata={"creationTimestamp": made.at(9)}, status={"attempts": 1})

    current = decide.under_way([ended(1), older, begun])

    assert current is not None and current.metadata.name == "news-b"


def test_long_names_of_collections_are_cut() -> None:
    long = made.collection(metadata={"name": "n" * 63})

    assert len(name(long)) == 63
