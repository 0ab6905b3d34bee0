"""A scan report for people: one line a finding, with the advice under it."""

from collections.abc import Iterable, Iterator

from extractor_apis.errors import ExtractorError
from extractor_apis.scan import Finding, ScanReport, Severity


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
    """Write a finding on one line: ``pipeline.py:3: C04 subprocess … → use run_tool``."""
    place = ":".join(str(part) for part in (finding.path, finding.line) if part is not None)
    advice = f" → {finding.advice}" if finding.advice else ""
    severity = "" if finding.severity is Severity.REJECT else f"{finding.severity}: "
    return f"{place + ': ' if place else ''}{severity}{finding.rule} {finding.message}{advice}"


def summary(report: ScanReport) -> str:
    """Say in one sentence what the scan decided."""
    rejected = sum(finding.severity is Severity.REJECT for finding in report.findings)
    warned = sum(finding.severity is Severity.WARN for finding in report.findings)
    what = f"{report.manifest.uri}" if report.manifest else "archive"
    warnings = counted(warned, "warning")
    if report.accepted:
        return f"{what}: accepted, {counted(report.files, 'file')}, {report.size:,} bytes, {warnings}"
    return f"{what}: rejected, {counted(rejected, 'finding')}, {warnings}"


def counted(number: int, noun: str) -> str:
    """Write how many there are: ``1 finding``, ``2,000 findings``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
