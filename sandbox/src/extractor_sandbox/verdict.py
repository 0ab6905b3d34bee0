"""What the rules say of one file of code by itself, and what they need to know of it later.

A verdict can be written down in JSON, which nothing executes: it comes back equal from another process, and
from an earlier scan.
"""

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from dataclasses import fields as dataclass_fields
from itertools import islice
from typing import Any

from extractor_sandbox import facts, limits
from extractor_sandbox.extent import Extent
from extractor_sandbox.facts import Facts, Use
from extractor_sandbox.finding import Finding, Problem
from extractor_sandbox.imports import Imports
from extractor_sandbox.loaders import LoaderCall
from extractor_sandbox.rules import batch as batch_rules
from extractor_sandbox.rules import code as code_rules
from extractor_sandbox.scopes import Link
from extractor_sandbox.source import Source, parse


@dataclass(frozen=True)
class FileVerdict:
    """All that is left of a file when it has been judged."""

    findings: list[Finding]
    facts: Facts | None
    """None if it could not be parsed."""


def judge_file(path: str, content: Extent, imports: Imports) -> FileVerdict:
    """Parse a file, apply the rules to it, and collect its facts."""
    source = parse(path, content, imports)
    # No scan reports more, so no file needs to hand over more.
    findings = list(islice(_find(source), limits.FINDINGS))
    verdict = FileVerdict(findings, facts.gather(source) if source.tree else None)
    source.forget()
    return verdict


def encode(verdict: FileVerdict) -> list[Any]:
    """Make JSON of a verdict."""
    return [
        [[finding.rule, *astuple(finding.problem)[:_PLAIN_FIELDS]] for finding in verdict.findings],
        verdict.facts and [getattr(verdict.facts, each.name) for each in dataclass_fields(Facts)],
    ]


def decode(value: Any) -> FileVerdict:
    """Make a verdict of JSON. Raises ValueError or TypeError if it is none."""
    findings, known = value
    return FileVerdict(
        [Finding(rule, Problem(*problem)) for rule, *problem in findings],
        None if known is None else _decode_facts(*known),
    )


_PLAIN_FIELDS = 6
"""The first fields of a problem, which rules fill; the excerpt comes when all is judged."""


def _find(source: Source) -> Iterator[Finding]:
    for rule in (*code_rules.RULES, *batch_rules.RULES):
        yield from rule.judge(source)


def _decode_facts(
    path: str, slots: Any, names: Any, fields: Any, uses: Any, calls: Any, passed: Any, modules: Any
) -> Facts:
    return Facts(
        path,
        slots=[_links(links) for links in slots],
        names=names,
        fields={name: _links(links) for name, links in fields.items()},
        uses=[Use(Link(*link), *rest) for link, *rest in uses],
        calls=[_decode_call(*call) for call in calls],
        passed=_links(passed),
        modules=modules,
    )


def _decode_call(link: Any, *rest: Any) -> LoaderCall:
    *plain, loader = rest
    return LoaderCall._make([Link(*link), *plain, tuple(_links(loader))])


def _links(links: Any) -> list[Link]:
    return [Link(*link) for link in links]
