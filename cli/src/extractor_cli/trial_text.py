"""A trial's report for people: what was seen, then what is wrong, and the verdict last, where eyes are."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from extractor_apis.run import RunState, StepReport
from extractor_apis.scan import Severity
from extractor_cli import findings
from extractor_cli.printable import printable

if TYPE_CHECKING:
    from extractor_runtime.trial.verdict import RealtimeReport, TrialReport

_GIB = 1 << 30


def lines(report: "TrialReport") -> Iterator[str]:
    """Write the report: a line each for what was seen, one for each finding, and one that sums it up."""
    if report.samples:
        yield f"{report.extractor} on {_names(report.samples)}"
    if report.batch:
        yield _row("batch", _batch(report.batch))
        yield from (_row("step", _step(step)) for step in report.batch.steps)
    elif report.samples and report.passed:
        yield _row("batch", "not tried: these inputs are for the realtime half")
    for feature in report.features:
        yield _row("vector", f"{feature.name}: {feature.vectors} of {feature.rows} rows")
    for attribute in report.attributes:
        yield _row("attribute", f"{attribute.name}: {attribute.present} of {attribute.documents} documents")
    if report.realtime:
        yield _row("realtime", _realtime(report.realtime))
    for parity in report.parity:
        pairs = "1 pair" if parity.compared == 1 else f"{parity.compared} pairs"
        yield _row(
            "parity",
            f"{parity.feature}: {pairs} of batch and realtime, cosine {parity.min_cosine:.4f} or more, "
            f"largest difference {parity.max_difference:.2g}",
        )
    if report.findings and report.samples:
        yield ""
    yield from (findings.line(finding) for finding in report.findings)
    yield verdict(report)


def verdict(report: "TrialReport") -> str:
    """Sum the report up in one sentence."""
    broken = sum(finding.severity is Severity.REJECT for finding in report.findings)
    warnings = sum(finding.severity is Severity.WARN for finding in report.findings)
    fine = "passed" if report.samples else "nothing was tried"
    says = fine if report.passed else f"failed, {findings.counted(broken, 'finding')}"
    return f"{report.extractor}: {says}, {findings.counted(warnings, 'warning')}"


def _row(what: str, text: str) -> str:
    # Names of steps and columns are the author's.
    return f"  {what:<10} {printable(text)}"


def _batch(state: RunState) -> str:
    seconds = (state.updated - state.started).total_seconds()
    done = state.objects_done - state.objects_failed
    documents = findings.counted(state.documents, "document")
    return f"{done} of {state.objects_total} objects done, {documents}, {seconds:.1f} s"


def _step(step: StepReport) -> str:
    pace = f" ({step.rows / step.seconds:,.0f} rows/s)" if step.seconds else ""
    return (
        f"{step.name}: {step.resource}, {findings.counted(step.rows, 'row')} in {step.seconds:.3f} s{pace}, "
        f"{step.create_seconds:.1f} s to create, {step.peak_memory_bytes / _GIB:.2f} GiB"
    )


def _realtime(realtime: "RealtimeReport") -> str:
    if not realtime.starts:
        return "does not start"
    if not realtime.asked:
        return f"starts, {realtime.load_seconds:.1f} s to load"
    median = "" if realtime.median_ms is None else f", {realtime.median_ms:.1f} ms each (median)"
    return f"{realtime.answered} of {realtime.asked} answered{median}, {realtime.load_seconds:.1f} s to load"


def _names(samples: tuple[str, ...]) -> str:
    shown = ", ".join(samples[:3])
    return f"{shown} and {len(samples) - 3} more" if len(samples) > 3 else shown
