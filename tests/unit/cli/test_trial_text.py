"""A trial is told so that its verdict and the broken promises are read last."""

import pytest

from extractor_apis.scan import Finding, Severity
from extractor_cli import trial_text
from extractor_runtime.trial.coverage import AttributeCoverage
from extractor_runtime.trial.verdict import RealtimeReport, TrialReport

BROKEN = Finding(
    rule="T06", severity=Severity.REJECT, message="they disagree", path="realtime.py", advice="Align."
)
SLOW = Finding(rule="SEQ001", severity=Severity.WARN, message="slow", path="p.py", line=3)


@pytest.mark.parametrize(
    ("report", "want"),
    [
        pytest.param(
            TrialReport(
                extractor="mixpeek://x@1.0.0",
                passed=False,
                samples=("a", "b", "c", "d"),
                findings=(BROKEN, SLOW),
            ),
            [
                "mixpeek://x@1.0.0 on a, b, c and 1 more",
                "",
                "realtime.py: T06 they disagree → Align.",
                "p.py:3: warn: SEQ001 slow",
                "mixpeek://x@1.0.0: failed, 1 finding, 1 warning",
            ],
            id="a broken promise and a warning",
        ),
        pytest.param(
            TrialReport(
                extractor="mixpeek://x@1.0.0",
                passed=True,
                realtime=RealtimeReport(starts=True, asked=0, answered=0, median_ms=None, load_seconds=1.26),
            ),
            ["  realtime   starts, 1.3 s to load", "mixpeek://x@1.0.0: nothing was tried, 0 warnings"],
            id="nothing to try it on",
        ),
        pytest.param(
            TrialReport(
                extractor="mixpeek://x@1.0.0",
                passed=True,
                attributes=(AttributeCoverage(name="\x1b[2J", documents=2, present=1, required=True),),
            ),
            [
                r"  attribute  \x1b[2J: 1 of 2 documents",
                "mixpeek://x@1.0.0: nothing was tried, 0 warnings",
            ],
            id="a name that a terminal would obey",
        ),
        pytest.param(
            TrialReport(
                extractor="mixpeek://x@1.0.0",
                passed=True,
                samples=("a",),
                realtime=RealtimeReport(starts=True, asked=2, answered=2, median_ms=1.25, load_seconds=0),
            ),
            [
                "mixpeek://x@1.0.0 on a",
                "  batch      not tried: these inputs are for the realtime half",
                "  realtime   2 of 2 answered, 1.2 ms each (median), 0.0 s to load",
                "mixpeek://x@1.0.0: passed, 0 warnings",
            ],
            id="all is well",
        ),
    ],
)
def test_a_trial_is_told_from_what_was_seen_to_the_verdict(report: TrialReport, want: list[str]) -> None:
    assert list(trial_text.lines(report)) == want
