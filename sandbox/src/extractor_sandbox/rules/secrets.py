"""S: secrets that would travel with the archive."""

import ast
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import stringzilla

from extractor_sandbox import limits
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import Problem, rule
from extractor_sandbox.rules.files import is_text
from extractor_sandbox.source import Source
from extractor_sandbox.tree import Tree


class _Kind(NamedTuple):
    what: str
    marks: tuple[bytes, ...]
    """Cheap to look for; the pattern begins with one of them."""
    pattern: re.Pattern[bytes]


def _kind(what: str, marks: str, pattern: str) -> _Kind:
    return _Kind(what, tuple(marks.encode().split(b"|")), re.compile(pattern.encode()))


_KINDS = (
    _kind("a private key", "-----BEGIN ", "-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
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
_MARKS = tuple(mark.decode() for kind in _KINDS for mark in kind.marks)
# Longer than what a pattern needs, so that none is missed between two pieces of a file.
_OVERLAP = 1024
_SHORTEST = 15
"""Characters of the shortest secret that a pattern finds."""
_RANDOM = re.compile(r"[A-Za-z0-9+/_=-]{24,200}")
_RANDOM_BITS = 4.5
_LONGEST = 200
_RUN = re.compile(r"[A-Za-z0-9+/_=-]{24,}")
_KEY = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----.*?(?=-----END|\Z)", re.DOTALL)
_VISIBLE = re.compile(rb"[^\r\n]")


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


@rule("S01", no_secrets.advice)
def nothing_spells_a_secret(source: Source) -> Iterator[Problem]:
    """Strings in code are no secrets either when they are put together of several."""
    constants = ((each, each.value) for each in source.each(ast.Constant))
    for node, value in itertools.chain(constants, source.texts.composed):
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        if isinstance(text, str) and len(text) >= _SHORTEST and any(mark in text for mark in _MARKS):
            spelled = text.encode(errors="replace")
            for kind in _KINDS:
                found = kind.pattern.search(spelled)
                # What stands in the file as it is has been found there.
                if found and found[0] not in source.raw:
                    yield source.problem(node, f"a string comes to {kind.what}")


def mask(text: bytes) -> bytes:
    """Blank out the secrets of a file; lines and lengths stay."""
    for kind in _KINDS:
        if _has_mark(kind, text):
            # A private key is what follows its first line.
            text = (_KEY if kind.what == "a private key" else kind.pattern).sub(_blank, text)
    return text


def mask_random(text: str) -> str:
    """Blank out what looks like a secret in a line, and longer runs of its characters."""
    return _RUN.sub(_blank_random, text)


def _blank_random(found: re.Match[str]) -> str:
    run = found[0]
    return "*" * len(run) if len(run) > _LONGEST or _looks_random(run) else run


def _blank(found: re.Match[bytes]) -> bytes:
    return _VISIBLE.sub(b"*", found[0])


def _find_secrets(path: str, content: Extent) -> Iterator[Problem]:
    hits: set[tuple[int, str]] = set()
    position, tail = 0, b""
    for piece in content.pieces():
        text = tail + piece
        for kind in _KINDS:
            hits.update((position - len(tail) + start, kind.what) for start in _find_all(kind, text))
        position += len(piece)
        tail = text[-_OVERLAP:]
        if len(hits) > limits.FINDINGS:
            break
    seen: set[tuple[int, str]] = set()
    for line, what in _number_lines(content, sorted(hits)):
        if (line, what) not in seen:
            seen.add((line, what))
            yield Problem(f"the file holds {what}", path, line)


def _number_lines(content: Extent, hits: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Give lines instead of positions: lines are counted only in files that hold something."""
    line, counted = 1, 0
    for position, what in hits:
        line += sum(piece.count(b"\n") for piece in content.part(counted, position - counted).pieces())
        counted = position
        yield line, what


def _find_all(kind: _Kind, text: bytes) -> list[int]:
    """Find where secrets of a kind begin."""
    found = []
    for mark in kind.marks:
        # Ten times as fast as `in`, which would take longer than all else in an archive full of text.
        at = stringzilla.find(text, mark)
        while at >= 0:
            secret = kind.pattern.match(text, at)
            if secret:
                found.append(at)
            # Behind a secret, or a megabyte of marks would be matched again from each of them.
            at = text.find(mark, secret.end() if secret else at + 1)
    return sorted(found)


def _has_mark(kind: _Kind, text: bytes) -> bool:
    return any(stringzilla.find(text, mark) >= 0 for mark in kind.marks)


def _looks_random(text: str) -> bool:
    if not _RANDOM.fullmatch(text):
        return False
    if not (any(map(str.isdigit, text)) and any(map(str.isupper, text)) and any(map(str.islower, text))):
        return False
    shares = (count / len(text) for count in Counter(text).values())
    return -sum(share * math.log2(share) for share in shares) > _RANDOM_BITS


RULES = (no_secrets,)
CODE_RULES = (nothing_looks_random, nothing_spells_a_secret)
