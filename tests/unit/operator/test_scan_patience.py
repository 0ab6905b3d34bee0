"""How long a scan that comes to no verdict is tried again."""

import datetime

import pytest

from extractor_apis.conditions import ConditionType, Reason
from extractor_apis.resource import Condition, ConditionStatus
from extractor_operator import times
from extractor_operator.errors import Retrying, Stalled
from extractor_operator.versions import scan_patience

NOW = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
FAILURE = Retrying(Reason.SCAN_FAILED, "the scan came to no verdict: it was killed by signal 9")
TRUE, FALSE = ConditionStatus.TRUE, ConditionStatus.FALSE


def condition(type: ConditionType, status: ConditionStatus, minutes: float) -> Condition:
    """Make a condition that has held for so many minutes."""
    return Condition(
        type=type,
        status=status,
        last_transition_time=times.write(NOW - datetime.timedelta(minutes=minutes)),
        reason="Any",
        message="any",
    )


def fetched(minutes: float) -> Condition:
    return condition(ConditionType.FETCHED, TRUE, minutes)


def ready(status: ConditionStatus, minutes: float) -> Condition:
    return condition(ConditionType.READY, status, minutes)


@pytest.mark.parametrize(
    "known",
    [
        pytest.param((), id="it is the first try"),
        pytest.param((ready(FALSE, 90),), id="nothing was fetched until now"),
        pytest.param((ready(FALSE, 90), fetched(29)), id="it was fetched lately, after waiting for a Secret"),
        pytest.param((ready(TRUE, 90), fetched(90)), id="it is judged again, and was Ready until now"),
        pytest.param((ready(FALSE, 29), fetched(90)), id="it is judged again, and was Ready lately"),
    ],
)
def test_a_scan_without_a_verdict_is_tried_again(known: tuple[Condition, ...]) -> None:
    assert scan_patience.judge(FAILURE, known, NOW) is FAILURE


def test_a_scan_without_a_verdict_for_half_an_hour_needs_a_person() -> None:
    judged = scan_patience.judge(FAILURE, (ready(FALSE, 31), fetched(31)), NOW)

    assert isinstance(judged, Stalled)
    assert judged.reason is Reason.SCAN_FAILED
    assert str(judged) == (
        "the scan came to no verdict: it was killed by signal 9; it was tried for 30 min. Try "
        "`extractor lint` on the archive, and see the operator's log; then push another version, or annotate "
        "the object with extractors.mixpeek.com/requested-at"
    )
