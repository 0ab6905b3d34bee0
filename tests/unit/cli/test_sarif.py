"""SARIF that code hosts take: the parts of the standard that they read, and places inside of the archive."""

import json
from typing import Any

import jsonschema
import pytest

from extractor_apis.scan import Excerpt, Finding, ScanReport, Severity, Verdict
from extractor_cli import sarif

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
POSITION = {"type": "integer", "minimum": 1}


def thing(required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required.split(), "properties": properties}


def some(items: dict[str, Any], least: int = 0) -> dict[str, Any]:
    return {"type": "array", "minItems": least, "items": items}


SAYS = {"shortDescription": TEXT, "fullDescription": TEXT, "help": TEXT}
RULE = thing("id shortDescription fullDescription help", **SAYS)
REGION = thing("startLine", startLine=POSITION, startColumn=POSITION, snippet=TEXT)
FILE = thing("uri", uri={"type": "string", "minLength": 1})
PLACE = thing("artifactLocation", artifactLocation=FILE, region=REGION)
RESULT = thing(
    "ruleId ruleIndex level message locations partialFingerprints",
    level=LEVEL,
    message=TEXT,
    locations=some(thing("physicalLocation", physicalLocation=PLACE), least=1),
    partialFingerprints={"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
)
RUN = thing(
    "tool invocations results",
    tool=thing("driver", driver=thing("name version rules", rules=some(RULE))),
    invocations=some(
        thing(
            "executionSuccessful",
            toolExecutionNotifications=some(thing("message", message=TEXT, level=LEVEL)),
        ),
        least=1,
    ),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results=some(RESULT),
)
LOG = {**thing("$schema version runs", version={"const": "2.1.0"}, runs=some(RUN, least=1))}
"""What code hosts read of SARIF 2.1.0."""


def report(*findings: Finding) -> ScanReport:
    return ScanReport(
        verdict=Verdict.REJECT,
        findings=findings,
        source_digest=f"sha256:{0:064}",
        python="3.11",
        ruleset="2026.1",
        confinement=("landlock 7", "seccomp"),
    )


def finding(**fields: Any) -> Finding:
    return Finding(**{"rule": "C04", "severity": Severity.REJECT, "message": "imports subprocess", **fields})


def run(*findings: Finding) -> dict[str, Any]:
    log = json.loads(json.dumps(sarif.render(report(*findings))))
    jsonschema.validate(log, LOG)
    first: dict[str, Any] = log["runs"][0]
    return first


def place(path: str | None) -> str:
    location: str = run(finding(path=path))["results"][0]["locations"][0]["physicalLocation"][
        "artifactLocation"
    ]["uri"]
    return location


def test_a_finding_is_a_result_with_its_line() -> None:
    [result] = run(
        finding(
            path="processors/step.py",
            line=3,
            column=5,
            excerpt=Excerpt(text="    import subprocess", column=1),
            advice="Use run_tool.",
        )
    )["results"]

    assert result["message"] == {"text": "imports subprocess. Use run_tool."}
    assert result["level"] == "error"
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "processors/step.py", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 3, "startColumn": 5, "snippet": {"text": "    import subprocess"}},
            }
        }
    ]


def test_a_run_says_what_was_decided_and_how() -> None:
    made = run(finding(path="pipeline.py"), finding(rule="X01", message="the scan came to no verdict"))

    assert made["properties"] == {
        "verdict": "reject",
        "strictness": "strict",
        "confinement": ["landlock 7", "seccomp"],
        "python": "3.11",
        "sourceDigest": f"sha256:{0:064}",
        "artifactDigest": None,
    }
    assert made["tool"]["driver"]["version"] == "2026.1"
    assert [each["id"] for each in made["tool"]["driver"]["rules"]] == ["C04", "X01"]
    assert [each["ruleIndex"] for each in made["results"]] == [0, 1]


@pytest.mark.parametrize(("rule", "want"), [("X01", False), ("C04", True)])
def test_a_scan_without_a_verdict_did_not_succeed(rule: str, want: bool) -> None:
    [invocation] = run(finding(rule=rule))["invocations"]

    assert invocation["executionSuccessful"] is want


@pytest.mark.parametrize(
    ("severity", "want"),
    [(Severity.REJECT, "error"), (Severity.WARN, "warning"), (Severity.INFO, "note")],
)
def test_severities_are_levels(severity: Severity, want: str) -> None:
    assert run(finding(severity=severity))["results"][0]["level"] == want


@pytest.mark.parametrize(
    ("path", "want"),
    [
        pytest.param("notes/größe 1.txt", "notes/gr%C3%B6%C3%9Fe%201.txt", id="blanks and umlauts"),
        pytest.param(None, ".", id="the whole archive"),
        pytest.param("../../etc/passwd", "etc/passwd", id="above the root"),
        pytest.param("//host/x", "host/x", id="another host"),
        pytest.param("javascript:alert(1)", "javascript%3Aalert%281%29", id="a scheme"),
        pytest.param("a\\b?c#d", "a%5Cb%3Fc%23d", id="a query and a fragment"),
    ],
)
def test_places_stay_inside_of_the_archive(path: str | None, want: str) -> None:
    assert place(path) == want


def test_a_message_of_hostile_names_holds_no_link() -> None:
    [result] = run(finding(message="imports [this](https://example.com)"))["results"]

    assert result["message"]["text"] == "imports [this\\](https://example.com)."


def test_a_fingerprint_outlives_lines_above_it_and_tells_equal_lines_apart() -> None:
    excerpt = Excerpt(text="open(1)", column=1)
    before = run(*(finding(path="a.py", line=line, excerpt=excerpt) for line in (3, 7)))["results"]
    after = run(*(finding(path="a.py", line=line, excerpt=excerpt) for line in (4, 8)))["results"]

    prints = [each["partialFingerprints"]["extractorFinding/v1"] for each in before]
    assert prints == [each["partialFingerprints"]["extractorFinding/v1"] for each in after]
    assert len(set(prints)) == 2
