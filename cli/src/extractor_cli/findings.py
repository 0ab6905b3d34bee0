"""Findings in a line each, and what a scan decided in one sentence."""

from collections.abc import Iterable, Iterator

from extractor_apis.errors import ExtractorError
from extractor_apis.scan import Finding, ScanReport, Severity, Strictness
from extractor_cli.printable import printable


class RejectedError(ExtractorError):
    """The scan does not accept an archive that was to be run."""


def lines(report: ScanReport) -> Iterator[str]:
    """Yield the findings, the weightiest first."""
    yield from map(line, ordered(report.findings))


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Put the weightiest findings first."""
    order = list(Severity)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.severity)))


def line(finding: Finding) -> str:
    """Write a finding on one line: ``pipeline.py:3:1: C04 imports subprocess → use run_tool``."""
    at = place(finding)
    advice = f" → {printable(finding.advice)}" if finding.advice else ""
    return f"{at + ': ' if at else ''}{says(finding)}{advice}"


def place(finding: Finding) -> str:
    """Say where it is: ``pipeline.py:3:1``, or nothing where it is about the whole archive."""
    parts = (finding.path, finding.line, finding.column)
    return ":".join(printable(str(part)) for part in parts if part is not None)


def says(finding: Finding) -> str:
    """Say what it is: ``warn: C10 torch.load without weights_only``."""
    severity = "" if finding.severity is Severity.REJECT else f"{finding.severity}: "
    return f"{severity}{finding.rule} {printable(finding.message)}"


def summary(report: ScanReport) -> str:
    """Say in one sentence what the scan decided."""
    rejected = sum(finding.severity is Severity.REJECT for finding in report.findings)
    excused = sum(finding.excused for finding in report.findings)
    warned = sum(finding.severity is Severity.WARN for finding in report.findings) - excused
    what = f"{report.manifest.uri}" if report.manifest else "archive"
    under = "" if report.strictness is Strictness.STRICT else f" ({report.strictness})"
    counts = [counted(warned, "warning")]
    if report.accepted:
        counts = [counted(report.files, "file"), f"{report.size:,} bytes", *counts]
    else:
        counts = [counted(rejected, "finding"), *counts]
    if excused:
        counts.append(f"{counted(excused, 'finding')} would be refused in strict")
    return f"{what}: {'accepted' if report.accepted else 'rejected'}{under}, {', '.join(counts)}"


def counted(number: int, noun: str) -> str:
    """Write how many there are: ``1 finding``, ``2,000 findings``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
