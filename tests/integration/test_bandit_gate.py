"""What bandit finds on its own examples for the rules that we share, we refuse."""

import ast
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from bandit.core import config, extension_loader, manager
from bandit.core.issue import Issue

from support import bandit_tests
from support.archives import extractor, judge_bytes

pytestmark = pytest.mark.integration

PART = Path(__file__).parents[2] / ".cache/parts/bandit"
UNBOUND = "calls what nothing in the file imports: a NameError, whatever it is called with"
EXCUSED = {
    "skip.py": (UNBOUND, {1, 2, 3, 4, 5, 6, 7}),
    "new_candidates-all.py": (UNBOUND, {7, 9}),
    "new_candidates-nosec.py": (UNBOUND, {7}),
    "new_candidates-some.py": (UNBOUND, {7, 9}),
    "subprocess_shell.py": (UNBOUND, {12}),
    "imports-from.py": ("imports a module of the archive, which has the name of another", {6}),
}
"""Lines that bandit takes for something that they are not, with the reason."""


@dataclass(frozen=True)
class Example:
    """One file as bandit and as we see it."""

    name: str
    code: bytes
    issues: list[Issue]
    lines: dict[int, set[str]]
    """Rules of ours that refuse a line."""
    rejected: bool

    @cached_property
    def tree(self) -> ast.Module:
        """The code, of which bandit found something."""
        return ast.parse(self.code)


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    """Read every example once."""
    if not (PART / ".fetched").exists():
        missing = "no examples of bandit: run `make bandit`"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    bandit = manager.BanditManager(config.BanditConfig(), "file", ignore_nosec=True)
    paths = sorted((PART / "examples").rglob("*.py"))
    # Bandit looks at this one for eight seconds, and finds nothing.
    return [_read(path, bandit) for path in paths if path.name != "long_set.py"]


def test_every_test_of_bandit_is_shared_or_there_is_a_reason() -> None:
    known = extension_loader.MANAGER
    ids = {*known.plugins_by_id, *known.blacklist_by_id}

    assert ids == bandit_tests.SHARED.keys() | bandit_tests.NOT_SHARED.keys()
    assert not bandit_tests.SHARED.keys() & bandit_tests.NOT_SHARED.keys()


def test_bandit_finds_every_shared_test_somewhere_in_the_examples(examples: list[Example]) -> None:
    found = {issue.test_id for example in examples for issue in example.issues}

    assert bandit_tests.SHARED.keys() <= found


def test_what_bandit_finds_and_we_share_is_refused_where_it_is(examples: list[Example]) -> None:
    missed = {
        (example.name, issue.lineno)
        for example in examples
        for issue in example.issues
        if issue.test_id in bandit_tests.SHARED and not _is_refused(example, issue)
    }

    assert missed <= {(name, line) for name, (_, lines) in EXCUSED.items() for line in lines}


def test_what_bandit_skips_because_it_does_not_parse_is_refused(examples: list[Example]) -> None:
    unparsable = [example for example in examples if not _parses(example.code)]

    assert {example.name for example in unparsable} >= {"nonsense.py", "nonsense2.py"}
    assert all(example.rejected for example in unparsable)


def _read(path: Path, bandit: manager.BanditManager) -> Example:
    code = path.read_bytes()
    bandit.results = []
    bandit._parse_file(path.name, io.BytesIO(code), [path.name])
    # Not at the root, where one that is called ftplib.py would be what `import ftplib` means.
    member = f"examples/{path.name}"
    findings = judge_bytes(extractor({member: code})).findings
    lines: dict[int, set[str]] = {}
    for finding in findings:
        # torch.load without weights_only is a warning: the runtime's torch loads safely then.
        counts = finding.rejects or finding.problem.message.startswith("torch.load ")
        if counts and finding.problem.path == member and finding.problem.line:
            lines.setdefault(finding.problem.line, set()).add(finding.rule)
    return Example(path.name, code, bandit.results, lines, any(each.rejects for each in findings))


def _is_refused(example: Example, issue: Issue) -> bool:
    """Tell whether a rule for it refuses what stands there.

    That is the line itself; or something that it uses: a name that a refused line binds, or the same
    attribute, for a rule speaks once of what a file does many times.
    """
    refused = {line for line, rules in example.lines.items() if rules & bandit_tests.SHARED[issue.test_id]}
    lines = {issue.lineno, *issue.linerange}
    if lines & refused:
        return True
    same = _attributes(example.tree, lines) & _attributes(example.tree, refused)
    return bool(same or _names(example.tree, lines) & _refused_names(example.tree, refused))


def _attributes(tree: ast.Module, lines: set[int]) -> set[str]:
    """Give the attributes on some lines as they are written."""
    return {
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.lineno in lines
    }


def _names(tree: ast.AST, lines: set[int]) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.lineno in lines}


def _refused_names(tree: ast.Module, refused: set[int]) -> set[str]:
    """Name what only a refused import binds, or what is made of that."""
    names = {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom)) and node.lineno in refused
        for alias in node.names
    }
    for targets, value in _bindings(tree):
        if _names(value, {value.lineno}) & names:
            names |= {node.id for node in ast.walk(targets) if isinstance(node, ast.Name)}
    return names


def _bindings(tree: ast.Module) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Give targets and what they are bound to, by assignment or ``with``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from ((target, node.value) for target in node.targets)
        elif isinstance(node, ast.withitem) and node.optional_vars:
            yield node.optional_vars, node.context_expr


def _parses(code: bytes) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError):
        return False
    return True
