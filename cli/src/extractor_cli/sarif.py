"""A scan report as SARIF 2.1.0, the form that code hosts show beside the lines of a change.

Locations are relative to the root of the archive. A finding about the whole archive is put at its root,
because code hosts drop results without a place.
"""

import hashlib
from collections import Counter
from typing import Any
from urllib.parse import quote

from extractor_apis.scan import Finding, ScanReport, Severity
from extractor_cli import rules
from extractor_cli.printable import printable
from extractor_sandbox import RULES

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.REJECT: "error", Severity.WARN: "warning", Severity.INFO: "note"}
_FAILED = "X01"
_FINGERPRINT = "extractorFinding/v1"


def render(report: ScanReport) -> dict[str, Any]:
    """Make a SARIF log of a report."""
    ids = sorted({finding.rule for finding in report.findings})
    known: Counter[str] = Counter()
    run = {
        "tool": {
            "driver": {
                "name": "extractor lint",
                "version": report.ruleset,
                "rules": [_rule(id) for id in ids],
            }
        },
        "invocations": [_invocation(report)],
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, ids.index(finding.rule), known) for finding in report.findings],
        "properties": {
            "verdict": report.verdict,
            "strictness": report.strictness,
            "confinement": list(report.confinement),
            "python": report.python,
            "sourceDigest": report.source_digest,
            "artifactDigest": report.artifact_digest,
        },
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(id: str) -> dict[str, Any]:
    rule = RULES[id]
    return {
        "id": id,
        "shortDescription": {"text": rules.first_sentence(rule.explanation)},
        "fullDescription": {"text": rule.explanation},
        "help": {"text": f"{rule.advice} `extractor rules {id}` shows examples."},
    }


def _invocation(report: ScanReport) -> dict[str, Any]:
    failures = [finding for finding in report.findings if finding.rule == _FAILED]
    return {
        "executionSuccessful": not failures,
        "toolExecutionNotifications": [
            {"level": "error", "message": {"text": failure.message}} for failure in failures
        ],
    }


def _result(finding: Finding, index: int, known: Counter[str]) -> dict[str, Any]:
    advice = f" {finding.advice}" if finding.advice else ""
    # SARIF reads `[text](target)` as a link, and what is found may be named like one.
    text = printable(f"{finding.message}.{advice}").replace("](", "\\](")
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": _place(finding)}],
        "partialFingerprints": {_FINGERPRINT: _fingerprint(finding, known)},
        "properties": {"excused": finding.excused},
    }


def _place(finding: Finding) -> dict[str, Any]:
    # Names of refused archives may be anything: `//host/x` and `..` must stay one path below the root.
    segments = [
        quote(part, safe="") for part in (finding.path or "").split("/") if part not in ("", ".", "..")
    ]
    place: dict[str, Any] = {"artifactLocation": {"uri": "/".join(segments) or ".", "uriBaseId": "%SRCROOT%"}}
    if finding.line is not None:
        region: dict[str, Any] = {"startLine": finding.line}
        if finding.column is not None:
            region["startColumn"] = finding.column
        if finding.excerpt:
            region["snippet"] = {"text": finding.excerpt.text}
        place["region"] = region
    return place


def _fingerprint(finding: Finding, known: Counter[str]) -> str:
    """Name a finding so that it stays the same when lines above it come or go."""
    text = finding.excerpt.text.strip() if finding.excerpt else ""
    key = "\0".join((finding.rule, finding.path or "", finding.message, text))
    known[key] += 1
    return hashlib.sha256(f"{key}\0{known[key]}".encode(errors="surrogatepass")).hexdigest()[:32]
