"""The status of a version: what a reconcile found out, made into what the object says.

A draft begins empty, so that the status never claims what this reconcile has not seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from extractor_apis import conditions
from extractor_apis.conditions import Outcome, Stage
from extractor_apis.extractorversion import (
    ArtifactStatus,
    EnvironmentStatus,
    ExtractorVersion,
    ExtractorVersionStatus,
    FeatureStatus,
    FindingStatus,
    ScanStatus,
    SourceStatus,
)
from extractor_apis.scan import Finding, ScanReport, Severity

_FINDINGS = 10
_TEXT = 1024


@dataclass
class Draft:
    """What a reconcile has found out so far."""

    stages: list[Stage] = field(default_factory=list)
    doing: str = ""
    """What it is at, for people who wait."""
    source: SourceStatus | None = None
    signer: str | None = None
    scan: ScanStatus | None = None
    artifact: ArtifactStatus | None = None
    environment: EnvironmentStatus | None = None
    features: tuple[FeatureStatus, ...] = ()


def render(version: ExtractorVersion, draft: Draft, outcome: Outcome, *, now: str) -> ExtractorVersionStatus:
    """Make the status of a draft and of what the reconcile came to."""
    known, generation = version.status, version.metadata.generation
    stages = conditions.summarise(outcome, _done(draft))
    return ExtractorVersionStatus(
        # It only moves when this generation was worked to an end, good or bad.
        observed_generation=known.observed_generation if outcome.reconciling else generation,
        conditions=conditions.merge(known.conditions, stages, generation=generation, now=now),
        source=draft.source,
        signer=draft.signer,
        scan=draft.scan,
        artifact=draft.artifact,
        environment=draft.environment,
        features=draft.features,
    )


def scan_status(report: ScanReport) -> ScanStatus:
    """Say what a scan decided, with what weighs most first."""
    return ScanStatus(
        verdict=report.verdict,
        rejected=_count(report.findings, Severity.REJECT),
        warnings=_count(report.findings, Severity.WARN),
        findings=tuple(map(_finding_status, _heaviest(report.findings)[:_FINDINGS])),
        ruleset=report.ruleset,
        strictness=report.strictness,
        python=report.python,
    )


def _done(draft: Draft) -> str:
    if draft.artifact is None:
        return "nothing is left to do"
    return f"{draft.artifact.digest} is scanned, stored, and can be run"


def _count(findings: Sequence[Finding], severity: Severity) -> int:
    return sum(1 for finding in findings if finding.severity is severity)


def _heaviest(findings: Sequence[Finding]) -> list[Finding]:
    weights = list(Severity)
    return sorted(findings, key=lambda finding: weights.index(finding.severity))


def _finding_status(finding: Finding) -> FindingStatus:
    return FindingStatus(
        rule=finding.rule[:16],
        message=finding.message[:_TEXT],
        path=finding.path and finding.path[:_TEXT],
        line=finding.line,
        advice=finding.advice and finding.advice[:_TEXT],
    )
