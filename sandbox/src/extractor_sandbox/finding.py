"""Findings, and the rules that make them.

A rule is a small function that yields problems. Its docstring is what a user reads about it, so it says
what is refused and why; the advice says what to do instead. The launcher makes the report's pydantic
findings of these.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Subject = TypeVar("Subject")
Check = Callable[[Subject], Iterable["Problem"]]


@dataclass(frozen=True)
class Excerpt:
    """A source line, or the part of a long one that matters, as it may be shown."""

    text: str
    column: int
    """Of its first character in the line, from 1."""


@dataclass(frozen=True)
class Problem:
    """What a rule holds against one place."""

    message: str
    path: str | None = None
    line: int | None = None
    column: int | None = None
    """As ast counts: the byte in the line, from 1."""
    advice: str | None = None
    """What to do here, where there is more to say than the rule's own advice."""
    severity: Literal["reject", "warn", "info"] = "reject"
    excerpt: Excerpt | None = None
    """The line; `excerpt.quote` puts it here when all is judged."""


@dataclass(frozen=True)
class Finding:
    """A problem and the rule that found it."""

    rule: str
    problem: Problem

    @property
    def rejects(self) -> bool:
        """Tell whether the archive is refused for it."""
        return self.problem.severity == "reject"


@dataclass(frozen=True)
class Rule(Generic[Subject]):
    """One rule of the policy."""

    id: str
    explanation: str
    """What it refuses, and why, for users."""
    advice: str
    """What to do instead."""
    check: Check[Subject] | None = None
    """None where a reader enforces the rule, because nothing can be read past a violation."""

    def judge(self, subject: Subject) -> Iterator[Finding]:
        """Find what the rule holds against a subject."""
        for problem in self.check(subject) if self.check else ():
            yield Finding(self.id, problem)


def rule(id: str, advice: str) -> Callable[[Check[Subject]], Rule[Subject]]:
    """Make a rule of a function: its docstring becomes the explanation."""

    def decorate(check: Check[Subject]) -> Rule[Subject]:
        return Rule(id, " ".join((check.__doc__ or "").split()), advice, check)

    return decorate


class Refused(Exception):
    """Raised by a reader that found a violation which it cannot read past."""

    def __init__(self, rule: str, message: str, path: str | None = None, advice: str | None = None) -> None:
        super().__init__(message)
        self.finding = Finding(rule, Problem(message, path and shown(path), advice=advice))


def shown(name: str) -> str:
    """Spell a name out of a hostile archive so that it can be printed: short, no control characters."""
    return name[:200] if name.isprintable() else ascii(name[:200])[1:-1]
