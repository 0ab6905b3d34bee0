"""Ask for second opinions on an archive that the rules accept, each in a disposable process, all at once."""

import contextlib
import importlib.util
import json
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import from_json

from extractor_apis.errors import ExtractorError
from extractor_apis.scan import Finding, Opinion, Severity
from extractor_sandbox import launcher
from extractor_sandbox.finding import Rule
from extractor_sandbox.rules import opinions as rules

_SAID_BY = {rules.BANDIT.id: "CS", rules.DETECT_SECRETS.id: "S"}
"""Kinds of our rules that say the same of a line."""
_PASSWORDS = ("bandit B105", "bandit B106", "bandit B107")
"""Bandit's tests for passwords."""

WORKER = (sys.executable, "-I", "-W", "ignore", "-m", "extractor_sandbox.opinions.worker")


class _Member(NamedTuple):
    """Who is asked."""

    rule: Rule[None]
    module: str
    """Beside this one."""
    needs: str
    """Module that has to be installed."""


_MEMBERS = {
    Opinion.BANDIT: _Member(rules.BANDIT, "bandit", "bandit"),
    Opinion.DETECT_SECRETS: _Member(rules.DETECT_SECRETS, "detect_secrets", "detect_secrets"),
    Opinion.ADVISORIES: _Member(rules.ADVISORIES, "advisories", "packaging"),
}


class OpinionError(ExtractorError):
    """An opinion that cannot be asked for, for a reason that is not in the archive."""


@contextlib.contextmanager
def convene(asked: Iterable[Opinion], advisories: Path | None) -> Iterator["Panel"]:
    """Make sure that all who are asked can answer, before anything is scanned. Raises OpinionError."""
    asked = tuple(sorted(asked))
    for opinion in asked:
        if importlib.util.find_spec(_MEMBERS[opinion].needs) is None:
            raise OpinionError(
                f"the opinion of {opinion} cannot be had: it is not installed; "
                "install extractor-sandbox[opinions], or do not ask for it"
            )
    if Opinion.ADVISORIES not in asked:
        yield Panel(asked)
    elif advisories is None:
        raise OpinionError(
            "advisories were asked for without a database: name a zip of OSV records "
            "(`--advisories`, or the settings' `advisories`)"
        )
    else:
        with _open_database(advisories) as database:
            yield Panel(asked, database)


class Panel:
    """Those who are asked."""

    def __init__(self, asked: tuple[Opinion, ...], database: int | None = None) -> None:
        self._asked = asked
        self._files = {} if database is None else {"advisories": database}

    def ask(
        self,
        archive: int,
        dependencies: Sequence[str],
        *,
        known: Sequence[Finding],
        folder: Path,
        deadline: float,
        worker: Sequence[str] = WORKER,
    ) -> tuple[Finding, ...]:
        """Add what they hold against an accepted archive to what is ``known`` of it, and not again what is.

        All of it are warnings, but where one comes to no end by the deadline (of ``time.monotonic()``).
        """
        with tempfile.TemporaryFile(dir=folder) as requirements, contextlib.ExitStack() as stack:
            # Not among the options: those are an argument, which is shorter than a manifest may be.
            requirements.write(json.dumps(list(dependencies)).encode())
            requirements.flush()
            files = self._files | {"dependencies": requirements.fileno()}
            questions = {
                opinion: stack.enter_context(
                    launcher.ask(
                        worker,
                        {"module": _MEMBERS[opinion].module},
                        stdin=archive,
                        files=files if opinion is Opinion.ADVISORIES else {},
                        folder=folder,
                        seconds=max(0.0, deadline - time.monotonic()),
                    )
                )
                for opinion in self._asked
            }
            said = [
                finding
                for opinion, question in questions.items()
                for finding in _read_answer(opinion, *question.answer())
            ]
        return _join(known, said)


def _join(known: Sequence[Finding], said: Sequence[Finding]) -> tuple[Finding, ...]:
    """Leave out opinions that a rule of ours has as well, and the text of lines that hold a secret."""
    secret = {(each.path, each.line) for each in said if _points_at_secret(each)}
    taken = {(each.path, each.line, each.rule[0]) for each in known if each.line}
    return (
        *(
            each.model_copy(update={"excerpt": None}) if (each.path, each.line) in secret else each
            for each in known
        ),
        *(
            each
            for each in said
            if not any((each.path, each.line, kind) in taken for kind in _SAID_BY.get(each.rule, ""))
        ),
    )


def _points_at_secret(finding: Finding) -> bool:
    return finding.rule == rules.DETECT_SECRETS.id or finding.message.startswith(_PASSWORDS)


@contextlib.contextmanager
def _open_database(path: Path) -> Iterator[int]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as err:
        raise OpinionError(f"cannot read the advisories {path}: {err.strerror}") from err
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode) or os.pread(descriptor, 4, 0) != b"PK\3\4":
            raise OpinionError(f"the advisories {path} are no zip: name one of OSV records, as OSV publishes")
        if not _name_first(descriptor).endswith((b".json", b"/")):
            # Nothing would be found in it, and that would look as if all were well.
            raise OpinionError(
                f"the zip {path} holds no advisories: name one of OSV records, as OSV publishes"
            )
        yield descriptor
    finally:
        os.close(descriptor)


def _name_first(descriptor: int) -> bytes:
    """Read the name of a zip's first member out of its header."""
    length = int.from_bytes(os.pread(descriptor, 2, 26), "little")
    return os.pread(descriptor, length, 30)


def _read_answer(opinion: Opinion, end: str | None, answer: bytes) -> tuple[Finding, ...]:
    """Read what the process said; what is no whole answer rejects."""
    rule = _MEMBERS[opinion].rule
    path = None
    try:
        for line in answer.splitlines():
            said = from_json(line)
            path = said.get("reading", path)
            if end is None and "problems" in said:
                return tuple(_make_finding(rule, problem) for problem in said["problems"])
    except (ValueError, TypeError, LookupError, AttributeError):
        end = end or "it said what cannot be understood"
    end = end or "it ended without an answer"
    return (
        Finding(
            rule=rule.id,
            severity=Severity.REJECT,
            message=f"{opinion} was asked for its opinion and gave none: {end}",
            path=path if isinstance(path, str) else None,
            advice="Scan again; if it fails again, make the file that it stopped at smaller or simpler.",
        ),
    )


def _make_finding(rule: Rule[None], problem: dict[str, Any]) -> Finding:
    fields = {name: problem[name] for name in ("severity", "message", "path", "line", "column", "advice")}
    return Finding.model_validate(fields | {"rule": rule.id, "advice": fields["advice"] or rule.advice})
