"""The same program gets the same verdict, however it is written."""

import ast
import random
from collections.abc import Iterator, Mapping, Sequence

import pytest

from support import snippets
from support.archives import extractor, judge_bytes
from support.rewriting import CORE, Files, Transformation
from support.shapes import BLOCKS, CARRIERS, PLACES
from support.spellings import NAMES, SPELLINGS

_AT_ONCE = 40
"""So few that their findings stay below the number at which a scan stops."""

REFUSED = [
    pytest.param(code, {rule}, id=f"{rule} {code!r}")
    for rule, codes in snippets.REFUSED.items()
    for code in codes
]
ACCEPTED = [pytest.param(code, set(), id=repr(code)) for code in snippets.ACCEPTED]
# What honest authors call on objects of their own is not held against an object that nobody knows.
HONEST_ON_OTHERS = ("np._core.thing", "torch.load(path, **options)", "yaml.load(text)")
IMPORTING = [
    each
    for each in REFUSED
    if "\\n" in str(each.id)
    and each.id[:3] not in ("C03", "C04")
    and not each.values[0].endswith(HONEST_ON_OTHERS)
]


@pytest.mark.parametrize(("code", "want"), [*REFUSED, *ACCEPTED])
def test_a_verdict_does_not_depend_on_where_code_stands(code: str, want: set[str]) -> None:
    assert judged(code, {"as it is": lambda _: {CORE: code}, **BLOCKS, **PLACES}, want) == {}


@pytest.mark.parametrize(("code", "want"), [*REFUSED, *ACCEPTED])
def test_a_verdict_does_not_depend_on_names(code: str, want: set[str]) -> None:
    assert judged(code, NAMES, want) == {}


# Secrets are found in what is written, because whoever hides one from the scan shares it knowingly.
@pytest.mark.parametrize(("code", "want"), [each for each in REFUSED if each.id[:3] != "S01"] + ACCEPTED)
def test_a_verdict_does_not_depend_on_spelling(code: str, want: set[str]) -> None:
    assert judged(code, SPELLINGS, want) == {}


@pytest.mark.parametrize(("code", "want"), IMPORTING)
def test_a_module_that_is_handed_on_is_not_lost(code: str, want: set[str]) -> None:
    assert [name for name, rules in rules_of(code, CARRIERS) if not rules] == []


@pytest.mark.parametrize(("code", "want"), [*REFUSED, *ACCEPTED])
def test_a_verdict_does_not_depend_on_several_of_these_at_once(code: str, want: set[str]) -> None:
    # In a class, what a lambda or comprehension reads is not what the class binds.
    blocks = {name: change for name, change in BLOCKS.items() if name != "in a class"}
    chance = random.Random(code)
    ways: dict[str, Transformation] = {}
    for _ in range(10):
        chosen = [chance.choice(list(each.items())) for each in (PLACES, blocks, blocks, NAMES)]
        ways[", ".join(name for name, _ in chosen)] = in_turn([change for _, change in chosen])

    assert judged(code, ways, want) == {}


def in_turn(changes: Sequence[Transformation]) -> Transformation:
    """Write a program otherwise several times over; what does not apply is left out."""

    def apply(module: ast.Module) -> Files:
        files = {CORE: ast.unparse(module)}
        for change in changes:
            files |= change(ast.parse(files[CORE])) or {}
        return files

    return apply


def judged(code: str, ways: Mapping[str, Transformation], want: set[str]) -> dict[str, set[str]]:
    """Judge a program in all ways of writing it; give those in which it is not as wanted."""
    found = dict(rules_of(code, ways))
    assert found, "no way of writing it applies"
    return {name: rules for name, rules in found.items() if rules != want}


def rules_of(code: str, ways: Mapping[str, Transformation]) -> Iterator[tuple[str, set[str]]]:
    """Say for each way of writing a program which rules reject it."""
    written = [
        (name, files) for name, change in ways.items() if (files := change(ast.parse(code))) is not None
    ]
    for start in range(0, len(written), _AT_ONCE):
        yield from _rules_of(dict(written[start : start + _AT_ONCE]))


def _rules_of(written: Mapping[str, Files]) -> Iterator[tuple[str, set[str]]]:
    """Judge several ways at once, each in a package of its own."""
    packages = {f"p{number}": name for number, name in enumerate(written)}
    rules: dict[str, set[str]] = {name: set() for name in written}
    files = {
        f"{package}/{path}": text
        for package, name in packages.items()
        for path, text in {"__init__.py": "", "processors/__init__.py": "", **written[name]}.items()
    }
    for finding in judge_bytes(extractor(files)).findings:
        if finding.rejects:
            assert finding.problem.path is not None
            rules[packages[finding.problem.path.partition("/")[0]]].add(finding.rule)
    yield from rules.items()
