"""What honest authors write is accepted, without a word."""

from pathlib import Path

import pytest

from support.archives import extractor, judge_bytes

CODE = Path(__file__).parents[2] / "fixtures/code"
IMPORTS = (CODE / "honest_imports.txt").read_text()
PIECES = (CODE / "honest_pieces.txt").read_text().strip().split("\n\n")
"""Pieces of code, with an empty line after each."""


@pytest.mark.parametrize("code", PIECES)
def test_honest_code_is_accepted(code: str) -> None:
    files = {
        "processors/__init__.py": "",
        "processors/types.py": "os = 'linux'\n",
        "processors/core.py": f"{IMPORTS}\n{code}\n",
    }

    findings = judge_bytes(extractor(files)).findings

    assert not [(each.rule, each.problem.message) for each in findings if not each.rule.startswith("SEQ")]
