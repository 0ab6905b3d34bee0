"""Pieces of code in a text file, each with the rule that refuses it, if one does."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent.parent / "fixtures/code"
_CASE = re.compile(r"^#---[ ]*(\w*)\n", re.MULTILINE)
_FILE = re.compile(r"^#file: (.*)\n", re.MULTILINE)


@dataclass(frozen=True)
class CodeCase:
    """Some files, and what is said of them."""

    rule: str
    """Empty where nothing is."""
    files: dict[str, str]
    id: str


def read_cases(name: str) -> Iterator[CodeCase]:
    """Read a file of cases; what stands before a case's first ``#file:`` is a module of ``processors``."""
    _, *parts = _CASE.split((_FOLDER / name).read_text(encoding="utf-8"))
    for number, (rule, text) in enumerate(zip(parts[::2], parts[1::2], strict=True), start=1):
        first, *others = _FILE.split(text)
        more = dict(zip(others[::2], others[1::2], strict=True))
        files = {"processors/__init__.py": "", "processors/core.py": first, **more}
        yield CodeCase(rule, files, f"{number} {rule} {first.strip().splitlines()[-1][:50]}")
