"""A report for people shows each cause once, with its line, and nothing that a terminal obeys."""

import re

import pytest

from extractor_apis.scan import Excerpt, Finding, ScanReport, Severity, Strictness, Verdict
from extractor_cli import scan_text

SAME = {"rule": "F04", "severity": Severity.REJECT, "message": "the file is hidden"}


def report(*findings: Finding, **fields: object) -> ScanReport:
    return ScanReport(
        verdict=Verdict.REJECT,
        findings=findings,
        source_digest=f"sha256:{0:064}",
        python="3.11",
        ruleset="2026.1",
        **fields,  # type: ignore[arg-type]
    )


def shown(*findings: Finding, width: int = 100, **fields: object) -> list[str]:
    """Give the lines without colours."""
    return [re.sub(r"\x1b\[\d*m", "", line) for line in scan_text.lines(report(*findings, **fields), width)]


def at(text: str, column: int | None, start: int = 1) -> Finding:
    return Finding(
        rule="C05",
        severity=Severity.REJECT,
        message="uses the builtin open",
        path="pipeline.py",
        line=12,
        column=column,
        excerpt=Excerpt(text=text, column=start),
        advice="Read with pathlib.",
    )


def test_a_finding_is_its_place_its_line_a_caret_and_the_advice() -> None:
    assert shown(at("x = open(1)", 5)) == [
        "pipeline.py:12:5: C05 uses the builtin open",
        "  12 | x = open(1)",
        "     |     ^",
        "     = Read with pathlib.",
        "",
        "archive: rejected, 1 finding, 0 warnings",
        "`extractor rules C05` explains, with examples.",
    ]


@pytest.mark.parametrize(
    ("finding", "want"),
    [
        pytest.param(at("open(1)", None), ["  12 | open(1)"], id="a line without a column"),
        pytest.param(
            at("日本 = open(1)", 6), ["  12 | 日本 = open(1)", "     |        ^"], id="wide characters"
        ),
        pytest.param(at("\tx = open(1)", 6), ["  12 |  x = open(1)", "     |      ^"], id="a tab"),
        pytest.param(
            at("x = '\u202e\x1b[2J'; open(1)", 15),
            ["  12 | x = '\\u202e\\x1b[2J'; open(1)", f"     | {' ' * 22}^"],
            id="characters that cannot be seen",
        ),
        pytest.param(
            at(f"{'a' * 90}open({'b' * 90})", 91),
            [f"  12 | …{'a' * 15}open({'b' * 10}…", f"     | {' ' * 16}^"],
            id="a line that is too wide",
        ),
        pytest.param(
            at("open(1)", 601, start=601), ["  12 | …open(1)", "     |  ^"], id="the end of a longer line"
        ),
        pytest.param(at("open(1)", 999), ["  12 | open(1)"], id="a column that is not there"),
    ],
)
def test_the_caret_is_under_its_column(finding: Finding, want: list[str]) -> None:
    lines = shown(finding, width=38)

    assert lines[1 : lines.index("     = Read with pathlib.")] == want


def test_one_cause_in_many_places_is_said_once() -> None:
    found = [Finding(**SAME, path=f"__MACOSX/._{number}.py") for number in range(10, 50)]
    about_them = [
        Finding(rule="C01", severity="reject", message="no UTF-8", path=each.path) for each in found
    ]

    assert shown(*about_them, *found) == [
        "__MACOSX/._10.py: F04 the file is hidden (40 times)",
        "   also __MACOSX/._11.py, __MACOSX/._12.py, __MACOSX/._13.py, __MACOSX/._14.py and 35 more",
        "",
        "Left out: 40 other findings about these hidden files.",
        "archive: rejected, 80 findings, 0 warnings",
        "`extractor rules F04` explains, with examples.",
    ]


def test_rejections_come_first_and_then_places_in_order() -> None:
    findings = [
        Finding(rule=rule, severity=severity, message=rule, path=path)
        for rule, severity, path in [("W", "warn", "a"), ("R2", "reject", "c"), ("R1", "reject", "b")]
    ]

    assert [line for line in shown(*findings) if ": " in line][:3] == ["b: R1 R1", "c: R2 R2", "a: warn: W W"]


@pytest.mark.parametrize(
    ("text", "never"),
    [
        pytest.param("\x1b]0;title\x07", "\x1b]", id="an escape sequence"),
        pytest.param("\x9b2J", "\x9b", id="an escape sequence of one byte"),
        pytest.param("a\u202eb", "\u202e", id="a reversed direction"),
        pytest.param("a\nb", "a\nb", id="a line feed"),
        pytest.param("::add-mask::x", "\n::add-mask::", id="a command to GitHub"),
        pytest.param("a ##vso[task.setvariable]", "##vso[", id="a command to Azure"),
        pytest.param("a ##[set-env]", "##[", id="an old command to GitHub"),
    ],
)
def test_nothing_from_the_archive_is_obeyed(text: str, never: str) -> None:
    finding = Finding(
        rule="F01",
        severity=Severity.REJECT,
        message=f"m {text}",
        path=text,
        line=1,
        advice=text,
        excerpt=Excerpt(text=text, column=1),
    )

    other = finding.model_copy(update={"path": f"{text}2"})
    assert never not in "\n" + "\n".join(shown(finding, other))


def test_advisory_counts_what_strict_would_refuse() -> None:
    excused = at("open(1)", 1).model_copy(update={"severity": Severity.WARN, "excused": True})

    lines = shown(excused, strictness=Strictness.ADVISORY).copy()

    assert (
        lines[-2]
        == "archive: rejected (advisory), 0 findings, 0 warnings, 1 finding would be refused in strict"
    )


def test_an_accepted_archive_without_findings_is_one_line() -> None:
    accepted = report(files=3, size=1200).model_copy(update={"verdict": Verdict.ACCEPT})

    assert [*scan_text.lines(accepted, 80)] == [
        "\x1b[1marchive: accepted, 3 files, 1,200 bytes, 0 warnings\x1b[0m"
    ]
