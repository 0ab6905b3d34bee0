"""Scan a folder as the platform will scan its archive, from an author's own tests.

Re-exported as ``api.namespaces.plugins.security.scanner``, the name that authors import.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from extractor_apis.scan import Finding, ScanReport, Severity
from extractor_sandbox.folder import pack
from extractor_sandbox.report import scan

_SEVERITIES = {Severity.REJECT: "error", Severity.WARN: "warning", Severity.INFO: "info"}


@dataclass(frozen=True)
class Violation:
    """One finding, in the words of the hosted platform."""

    filename: str
    line: int
    severity: str
    """``error``, ``warning`` or ``info``."""
    message: str
    rule: str
    column: int = 0
    advice: str = ""


@dataclass(frozen=True)
class ScanResult:
    """What the platform would say of the folder."""

    passed: bool
    violations: tuple[Violation, ...]
    report: ScanReport
    """The same in full."""


class PluginSecurityScanner:
    """Packs a folder and scans the archive, with the very rules that judge an upload."""

    def __init__(self, strict_mode: bool = False) -> None:
        self._strict = strict_mode

    def scan_directory(self, path: str | Path) -> ScanResult:
        """Scan a folder that holds a ``manifest.py``; in strict mode a warning fails it, too.

        Nothing of the folder is run. Raises PackError when it is no extractor's folder.
        """
        with tempfile.TemporaryDirectory(prefix="extractor-scan-") as folder:
            archive = Path(folder) / "archive.zip"
            pack(Path(path), archive)
            report = scan(archive, into=Path(folder) / "accepted.zip")
        warned = any(finding.severity is Severity.WARN for finding in report.findings)
        passed = report.accepted and not (self._strict and warned)
        return ScanResult(passed, tuple(map(_violation, report.findings)), report)


def _violation(finding: Finding) -> Violation:
    return Violation(
        filename=finding.path or "",
        line=finding.line or 0,
        severity=_SEVERITIES[finding.severity],
        message=finding.message,
        rule=finding.rule,
        column=finding.column or 0,
        advice=finding.advice or "",
    )
