"""The source lines that findings are about, as they may be shown: short, and without secrets.

The worker quotes them while it has the files open: whoever prints a report never opens a hostile file.
"""

import dataclasses
from collections.abc import Iterable, Mapping

from extractor_sandbox import limits
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import Excerpt, Finding, Problem
from extractor_sandbox.rules import secrets

_WIDTH = 200
_BEFORE = 80
"""Characters that are kept before the column of a long line."""


def quote(findings: Iterable[Finding], files: Mapping[str, Extent]) -> list[Finding]:
    """Give findings the lines that they are about, and columns in characters instead of bytes.

    A line that an S rule is about is not quoted for any rule, and nothing of a file that is longer than code
    may be. One file is in memory at a time.
    """
    quoted = list(findings)
    secret = {(each.problem.path, each.problem.line) for each in quoted if each.rule.startswith("S0")}
    places: dict[str, list[int]] = {}
    for position, finding in enumerate(quoted):
        path = finding.problem.path
        if path is not None and path in files and finding.problem.line is not None:
            places.setdefault(path, []).append(position)
    for path, positions in places.items():
        lines = _read(files[path])
        for position in positions:
            problem = quoted[position].problem
            may_be_shown = (path, problem.line) not in secret
            quoted[position] = dataclasses.replace(
                quoted[position], problem=_quote(problem, lines, may_be_shown)
            )
    return quoted


def _read(content: Extent) -> list[tuple[bytes, bytes]]:
    """Give the lines of a file, each as it is and as it may be shown."""
    raw = content.content() if content.size <= limits.SOURCE_BYTES else b""
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    # Of bytes, only what ends a line for Python's parser ends one here: no form feed, no U+2028.
    return list(zip(raw.splitlines(), secrets.mask(raw).splitlines(), strict=True))


def _quote(problem: Problem, lines: list[tuple[bytes, bytes]], may_be_shown: bool) -> Problem:
    if problem.line is None or not 0 < problem.line <= len(lines):
        return problem
    raw, shown = lines[problem.line - 1]
    column = problem.column
    if column is not None:
        column = len(raw[: column - 1].decode(errors="replace")) + 1
    excerpt = _cut(shown.decode(errors="replace"), column) if may_be_shown else None
    return dataclasses.replace(problem, column=column, excerpt=excerpt)


def _cut(line: str, column: int | None) -> Excerpt:
    """Take the part of a line that is around a column."""
    start = max(0, min((column or 1) - 1 - _BEFORE, len(line) - _WIDTH))
    # With what is around it, so that no part of a secret is left over at an end.
    before = max(0, start - _WIDTH)
    masked = secrets.mask_random(line[before : start + 2 * _WIDTH])
    return Excerpt(masked[start - before :][:_WIDTH], start + 1)
