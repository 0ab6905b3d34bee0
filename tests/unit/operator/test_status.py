"""What the status shows of a scan, and which change of `Ready` is worth an event."""

from collections.abc import Sequence

import pytest

from extractor_apis.conditions import ConditionType, Reason, Stage, merge
from extractor_apis.resource import Condition, ConditionStatus
from extractor_apis.scan import Finding, ScanReport, Severity, Verdict
from extractor_operator import events
from extractor_operator.versions import status


def report(*findings: Finding) -> ScanReport:
    return ScanReport(
        verdict=Verdict.REJECT, findings=findings, source_digest="sha256:", python="3.11", ruleset="1"
    )


def finding(rule: str, severity: Severity, message: str = "is wrong") -> Finding:
    return Finding(rule=rule, severity=severity, message=message, path="pipeline.py", line=3)


def ready(holds: bool, reason: Reason) -> tuple[Condition, ...]:
    value = ConditionStatus.TRUE if holds else ConditionStatus.FALSE
    return merge((), [Stage(ConditionType.READY, value, reason, "said")], generation=1, now="now")


def waiting(*, is_stalled: bool) -> tuple[Condition, ...]:
    """Say that another object has to be Ready first."""
    said = (Reason.VERSION_NOT_READY, "said")
    kind = ConditionType.STALLED if is_stalled else ConditionType.RECONCILING
    stages = [
        Stage(ConditionType.READY, ConditionStatus.FALSE, *said),
        Stage(kind, ConditionStatus.TRUE, *said),
    ]
    return merge((), stages, generation=1, now="now")


def test_what_rejects_is_shown_before_what_warns() -> None:
    shown = status.scan_status(
        report(finding("W1", Severity.WARN), finding("I1", Severity.INFO), finding("R1", Severity.REJECT))
    )

    assert [each.rule for each in shown.findings] == ["R1", "W1", "I1"]
    assert (shown.rejected, shown.warnings) == (1, 1)


def test_ten_findings_are_shown_and_all_are_counted() -> None:
    shown = status.scan_status(report(*[finding(f"R{number}", Severity.REJECT) for number in range(20)]))

    assert ([each.rule for each in shown.findings], shown.rejected) == ([f"R{n}" for n in range(10)], 20)


def test_a_message_of_a_hostile_archive_is_cut_to_what_the_api_server_takes() -> None:
    shown = status.scan_status(report(finding("R1", Severity.REJECT, "x" * 5000)))

    assert len(shown.findings[0].message) == 1024


@pytest.mark.parametrize(
    ("before", "after", "want"),
    [
        pytest.param((), ready(True, Reason.SUCCEEDED), True, id="what was new is ready"),
        pytest.param((), ready(False, Reason.PROGRESSING), False, id="what is on its way says nothing"),
        pytest.param(ready(False, Reason.PROGRESSING), ready(True, Reason.SUCCEEDED), True, id="it arrived"),
        pytest.param(ready(True, Reason.SUCCEEDED), ready(True, Reason.SUCCEEDED), False, id="the same"),
        pytest.param(ready(False, Reason.RETRYING), ready(False, Reason.NOT_FOUND), True, id="another"),
        pytest.param(ready(False, Reason.RETRYING), ready(False, Reason.RETRYING), False, id="one more try"),
        pytest.param((), ready(False, Reason.SUSPENDED), False, id="it is being suspended, as asked"),
        pytest.param((), waiting(is_stalled=False), False, id="its version is on its way"),
        pytest.param(
            waiting(is_stalled=False),
            waiting(is_stalled=True),
            True,
            id="its version needs a person",
        ),
    ],
)
def test_a_transition_is_told_once(
    before: Sequence[Condition], after: Sequence[Condition], want: bool
) -> None:
    assert (events.transition(before, after) is not None) is want
