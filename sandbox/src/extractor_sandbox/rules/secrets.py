"""S: secrets that would travel with the archive."""

import ast
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import Problem, rule
from extractor_sandbox.rules.files import is_text
from extractor_sandbox.source import Source
from extractor_sandbox.tree import Tree


class _Kind(NamedTuple):
    what: str
    marks: tuple[bytes, ...]
    """Cheap to look for; the pattern holds one of them."""
    pattern: re.Pattern[bytes]


def _kind(what: str, marks: str, pattern: str) -> _Kind:
    return _Kind(what, tuple(marks.encode().split(b"|")), re.compile(pattern.encode()))


_KINDS = (
    _kind("a private key", "PRIVATE KEY", "-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    _kind("an AWS access key id", "AKIA|ASIA", r"(?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _kind(
        "a GitHub token",
        "ghp_|gho_|ghu_|ghs_|ghr_|github_pat_",
        r"(?<![A-Za-z0-9_])(?:gh[opsur]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,})",
    ),
    _kind("a Slack token", "xox", r"(?<![A-Za-z0-9])xox[a-z]-[A-Za-z0-9-]{10,}"),
    _kind("a Hugging Face token", "hf_", r"(?<![A-Za-z0-9_])hf_[A-Za-z0-9]{30,}"),
    _kind(
        "an API key (sk-…)",
        "sk-",
        r"(?<![A-Za-z0-9_-])sk-(?:[A-Za-z0-9]{20,}|(?:proj|ant|svcacct|admin|or|live|test)-[A-Za-z0-9_-]{20,})",
    ),
)
# Longer than what a pattern needs, so that none is missed between two pieces of a file.
_OVERLAP = 1024
_RANDOM = re.compile(r"[A-Za-z0-9+/_=-]{24,200}")
_RANDOM_BITS = 4.5


@rule("S01", "Take it out, revoke it, and ask for it at run time: `await container.secrets.get(name)`.")
def no_secrets(tree: Tree) -> Iterator[Problem]:
    """An archive holds no private keys and no tokens of AWS, GitHub, Slack, Hugging Face and the like: it is
    kept, copied and handed out. Strings that merely look random are warnings."""
    for path, content in tree.files.items():
        if is_text(path):
            yield from _find_secrets(path, content)


@rule("S01", no_secrets.advice)
def nothing_looks_random(source: Source) -> Iterator[Problem]:
    """Strings in code do not look like secrets."""
    for constant in source.each(ast.Constant):
        text = constant.value
        if isinstance(text, str) and len(text) >= 24 and _looks_random(text):
            message = "a string looks like a secret: it is as random as one"
            problem = source.problem(constant, message)
            yield Problem(message, problem.path, problem.line, problem.column, severity="warn")


def _find_secrets(path: str, content: Extent) -> Iterator[Problem]:
    line, tail = 1, b""
    seen: set[tuple[str, int]] = set()
    for piece in content.pieces():
        text = tail + piece
        for kind in _KINDS:
            if any(mark in text for mark in kind.marks):
                for found in kind.pattern.finditer(text):
                    at = line + text.count(b"\n", 0, found.start())
                    if (kind.what, at) not in seen:
                        seen.add((kind.what, at))
                        yield Problem(f"the file holds {kind.what}", path, at)
        tail = text[-_OVERLAP:]
        line += text.count(b"\n", 0, len(text) - len(tail))


def _looks_random(text: str) -> bool:
    if not _RANDOM.fullmatch(text):
        return False
    if not (any(map(str.isdigit, text)) and any(map(str.isupper, text)) and any(map(str.islower, text))):
        return False
    shares = (count / len(text) for count in Counter(text).values())
    return -sum(share * math.log2(share) for share in shares) > _RANDOM_BITS


RULES = (no_secrets,)
CODE_RULES = (nothing_looks_random,)
