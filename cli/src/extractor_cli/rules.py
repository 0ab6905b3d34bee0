"""`extractor rules [ID …]`: what the scan refuses, why, and what to do instead.

docs/rules.md is what ``--all`` prints.
"""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer

from extractor_cli import terminal
from extractor_cli.terminal import ExitCode, Format

_GROUPS = {
    "Z": "The archive",
    "F": "Its files",
    "M": "manifest.py",
    "C": "Code",
    "SEQ": "Batch code that is slow",
    "W": "Model files",
    "S": "Secrets",
    "O": "Second opinions",
    "X": "The scan itself",
}
_INTRODUCTION = """\
# The rules of the scan

`make generate` writes this page from the rules themselves; `extractor rules C06` shows a part of it offline.
[Scanning](scan.md) says who decides what, and what a scan guarantees. Every example here is judged by a test.
"""


@terminal.verb
def rules(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Rules, as a report names them: C06.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Explain them all, as a page of Markdown.")] = False,
    output: terminal.Output = Format.TEXT,
    verbose: terminal.Verbose = False,
) -> ExitCode:
    """Explain the rules of the scan, with an example of each; without ids, list them."""
    from extractor_sandbox import RULES

    wanted = [id.upper() for id in ids or ()]
    unknown = [id for id in wanted if id not in RULES]
    if unknown:
        raise typer.BadParameter(f"there is no rule {unknown[0]!a}; `extractor rules` lists them")
    if output is Format.JSON:
        terminal.print_json([_describe(id) for id in wanted or _in_order()])
    elif every:
        print(page(), end="")
    elif wanted:
        print("\n".join(line for id in wanted for line in _explain(id)).rstrip())
    else:
        for id in _in_order():
            print(f"{id:<7} {first_sentence(RULES[id].explanation)}")
    return ExitCode.FINE


def page() -> str:
    """Write the reference of all rules."""
    lines = [_INTRODUCTION]
    for title, ids in itertools.groupby(_in_order(), lambda id: _GROUPS[_group(id)]):
        lines += [f"## {title}", ""]
        for id in ids:
            lines += _explain(id)
    return "\n".join(lines).rstrip() + "\n"


def first_sentence(text: str) -> str:
    """Take the first sentence of an explanation."""
    sentence = text.partition(". ")[0].removesuffix(".")
    return f"{sentence}."


def _in_order() -> list[str]:
    """List the rules as an author meets them: the archive first."""
    from extractor_sandbox import RULES

    groups = list(_GROUPS)
    return sorted(RULES, key=lambda id: groups.index(_group(id)))


def _group(id: str) -> str:
    return id.rstrip("0123456789")


def _explain(id: str) -> Iterator[str]:
    from extractor_sandbox import RULES
    from extractor_sandbox.rule_examples import EXAMPLES, WARNINGS

    refused = "Warned of" if id in WARNINGS else "Refused"
    yield from (f"### {id}", "", RULES[id].explanation, "", f"**Instead:** {RULES[id].advice}", "")
    yield from _list_names(id)
    example = EXAMPLES.get(id)
    if example is None:
        return
    if example.path is None:
        yield from (f"- {refused}: {example.refused}.", f"- Accepted: {example.accepted}.", "")
        return
    yield from (f"{refused} in `{example.path}`:", "", "```python", example.refused, "```", "")
    yield from ("Accepted:", "", "```python", example.accepted, "```", "")


def _list_names(id: str) -> Iterator[str]:
    """Spell out the lists that a rule goes by."""
    from extractor_sandbox import imports, reach

    lists: dict[str, Iterable[str]] = {}
    if id == "C03":
        standard = imports.STANDARD - {"urllib"} | imports.URLLIB
        lists = {"Of the standard library": standard, "Libraries": imports.THIRD_PARTY}
        lists["The platform's"] = imports.PLATFORM
    elif id == "C04":
        for module, advice in imports.FORBIDDEN.items():
            lists[advice.removesuffix(".")] = [*lists.get(advice.removesuffix("."), ()), module]
    elif id == "C06":
        lists = {"Harmless dunder attributes": reach.DUNDERS}
    for what, names in lists.items():
        yield f"- {what}: {', '.join(f'`{name}`' for name in sorted(names))}."
    if lists:
        yield ""


def _describe(id: str) -> dict[str, Any]:
    from extractor_sandbox import RULES
    from extractor_sandbox.rule_examples import EXAMPLES

    rule, example = RULES[id], EXAMPLES.get(id)
    said = {"id": id, "explanation": rule.explanation, "advice": rule.advice}
    return {**said, "example": dataclasses.asdict(example) if example else None}
