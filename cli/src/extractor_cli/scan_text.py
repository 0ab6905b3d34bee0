"""A scan report for people: each cause once, with its source line, a caret under the column, and the advice.

Whatever came out of the archive goes through `printable`; the only escape sequences are the colours put here.
"""

from collections.abc import Iterable, Iterator

import typer
from rich.cells import cell_len

from extractor_apis.scan import Excerpt, Finding, ScanReport, Severity
from extractor_cli import findings
from extractor_cli.printable import printable

_COLOURS = {Severity.REJECT: "red", Severity.WARN: "yellow", Severity.INFO: "cyan"}
_PLACES = 4
"""Further places that are named; of the others, how many there are."""
_HIDDEN = "F04"


def lines(report: ScanReport, width: int) -> Iterator[str]:
    """Write the findings, the verdict, and where to read on."""
    in_place = sorted(report.findings, key=_position)
    shown, left_out = _leave_out_consequences(findings.ordered(in_place))
    for group in _group(shown):
        yield from _block(group, width)
        yield ""
    if left_out:
        yield f"Left out: {findings.counted(left_out, 'other finding')} about these hidden files."
    yield typer.style(findings.summary(report), bold=True)
    if shown:
        ids = " ".join(sorted({each.rule for each in shown}))
        yield f"`extractor rules {ids}` explains, with examples."


def _leave_out_consequences(found: tuple[Finding, ...]) -> tuple[list[Finding], int]:
    """Leave out what is said of files that should not be there at all: a zip of Finder's has hundreds."""
    hidden = {each.path for each in found if each.rule == _HIDDEN}
    shown = [each for each in found if each.rule == _HIDDEN or each.path is None or each.path not in hidden]
    return shown, len(found) - len(shown)


def _group(found: Iterable[Finding]) -> Iterator[list[Finding]]:
    """Put findings that say the same together, where the first of them is."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for each in found:
        groups.setdefault((each.severity, each.rule, each.message, each.advice), []).append(each)
    yield from groups.values()


def _position(finding: Finding) -> tuple[str, int, int]:
    return finding.path or "", finding.line or 0, finding.column or 0


def _block(group: list[Finding], width: int) -> Iterator[str]:
    first, *others = group
    colour = _COLOURS[first.severity]
    at = findings.place(first)
    times = f" ({len(group)} times)" if others else ""
    where = typer.style(f"{at}: ", bold=True) if at else ""
    yield f"{where}{typer.style(findings.says(first), fg=colour)}{times}"
    gutter = len(str(first.line or "")) + 2
    if first.excerpt and first.line is not None:
        yield from _quote(first.excerpt, first.line, first.column, colour, width)
    if others:
        more = len(others) - _PLACES
        rest = f" and {more} more" if more > 0 else ""
        yield f"{'':{gutter}} also {', '.join(map(findings.place, others[:_PLACES]))}{rest}"
    if first.advice:
        yield f"{'':{gutter}} {typer.style('=', fg='blue')} {printable(first.advice)}"


def _quote(excerpt: Excerpt, line: int, column: int | None, colour: str, width: int) -> Iterator[str]:
    number = f"  {line}"
    bar = typer.style("|", fg="blue")
    text, before = _fit(excerpt, column, max(20, width - len(number) - 4))
    yield f"{typer.style(number, fg='blue')} {bar} {text}".rstrip()
    if before is not None:
        yield f"{'':{len(number)}} {bar} {'':{cell_len(before)}}{typer.style('^', fg=colour, bold=True)}"


def _fit(excerpt: Excerpt, column: int | None, width: int) -> tuple[str, str | None]:
    """Cut a line around a column; give it, and what of it is before the column."""
    at = (column or 1) - excerpt.column
    known = column is not None and 0 <= at <= len(excerpt.text)
    start = max(0, min(at - width // 2, len(excerpt.text) - width)) if known else 0
    end = start + width
    head = "…" if start or excerpt.column > 1 else ""
    tail = "…" if end < len(excerpt.text) else ""
    text = printable(excerpt.text[start:end])
    return f"{head}{text}{tail}", head + printable(excerpt.text[start:at]) if known else None
