"""`Ready` follows from the stages, and times move only where a status does."""

import pytest

from extractor_apis import conditions
from extractor_apis.conditions import ConditionType, Outcome, Reason, Stage
from extractor_apis.resource import Condition, ConditionStatus

TRUE, FALSE = ConditionStatus.TRUE, ConditionStatus.FALSE
FETCHED = Stage(ConditionType.FETCHED, TRUE, Reason.SUCCEEDED, "fetched")
RUNNING = Stage(ConditionType.SCANNED, FALSE, Reason.PROGRESSING, "the scan runs")
REJECTED = Stage(ConditionType.SCANNED, FALSE, Reason.SCAN_REJECTED, "pipeline.py:3: imports subprocess")


def said(stages: tuple[Stage, ...]) -> list[tuple[str, str, str]]:
    return [(stage.type, stage.status, stage.reason) for stage in stages]


@pytest.mark.parametrize(
    ("outcome", "want"),
    [
        pytest.param(
            Outcome((FETCHED,)),
            [("Ready", "True", "Succeeded"), ("ArtifactFetched", "True", "Succeeded")],
            id="when all is done it is ready, and neither reconciling nor stalled",
        ),
        pytest.param(
            Outcome((FETCHED, RUNNING), reconciling=RUNNING),
            [
                ("Ready", "False", "Progressing"),
                ("Reconciling", "True", "Progressing"),
                ("ArtifactFetched", "True", "Succeeded"),
                ("ScanPassed", "False", "Progressing"),
            ],
            id="while more is to come it is reconciling",
        ),
        pytest.param(
            Outcome((FETCHED, REJECTED), stalled=REJECTED),
            [
                ("Ready", "False", "ScanRejected"),
                ("Stalled", "True", "ScanRejected"),
                ("ArtifactFetched", "True", "Succeeded"),
                ("ScanPassed", "False", "ScanRejected"),
            ],
            id="when only a person can help it is stalled",
        ),
    ],
)
def test_ready_follows_from_the_stages(outcome: Outcome, want: list[tuple[str, str, str]]) -> None:
    assert said(conditions.summarise(outcome, "ready to run")) == want


def test_a_time_moves_only_with_a_status() -> None:
    first = conditions.merge((), [RUNNING, FETCHED], generation=1, now="2026-01-01T00:00:00Z")

    second = conditions.merge(first, [REJECTED], generation=2, now="2026-01-02T00:00:00Z")
    third = conditions.merge(
        second,
        [Stage(ConditionType.SCANNED, TRUE, Reason.SUCCEEDED, "accepted")],
        generation=2,
        now="2026-01-03T00:00:00Z",
    )

    assert [(each.type, each.last_transition_time, each.observed_generation) for each in second] == [
        ("ScanPassed", "2026-01-01T00:00:00Z", 2)
    ]
    assert [each.last_transition_time for each in third] == ["2026-01-03T00:00:00Z"]


def test_a_message_is_one_line_and_bounded() -> None:
    long = Stage(ConditionType.SCANNED, FALSE, Reason.SCAN_FAILED, "one\n  two " + "x" * 5000)

    [merged] = conditions.merge((), [long], generation=1, now="2026-01-01T00:00:00Z")

    assert merged.message.startswith("one two x") and len(merged.message) <= conditions.MESSAGE_CHARACTERS


def test_a_condition_is_found_by_its_type() -> None:
    known: tuple[Condition, ...] = conditions.merge(
        (), [FETCHED, RUNNING], generation=1, now="2026-01-01T00:00:00Z"
    )

    assert conditions.find(known, ConditionType.SCANNED) == known[1]
    assert conditions.find(known, ConditionType.STALLED) is None
