"""Rules can be read by users, and importing them costs little."""

import subprocess
import sys

import pytest

import extractor_sandbox
from extractor_sandbox.rules import RULES

POLICY = [
    *(f"Z{number:02}" for number in range(1, 12)),
    *(f"F{number:02}" for number in range(1, 7)),
    *(f"M{number:02}" for number in range(1, 7)),
    *(f"C{number:02}" for number in range(1, 13) if number != 7),
    "S01",
    *(f"W{number:02}" for number in range(2, 7)),
    *(f"SEQ{number:03}" for number in range(1, 4)),
]


def test_every_rule_of_the_policy_is_there() -> None:
    assert set(POLICY) <= set(RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_explains_itself_in_sentences(rule: extractor_sandbox.finding.Rule[object]) -> None:
    assert rule.explanation.endswith(".") and rule.advice.endswith(".")


@pytest.mark.parametrize("module", ["extractor_sandbox.worker", "extractor_sandbox", "extractor_apis.scan"])
def test_imports_pull_no_heavy_library(module: str) -> None:
    heavy = {"numpy", "pandas", "ray", "torch"} | ({"pydantic"} if module != "extractor_apis.scan" else set())
    program = f"import sys, {module}; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)

    assert not heavy & set(loaded.stdout.split())


def test_unknown_names_are_no_part_of_the_room() -> None:
    with pytest.raises(AttributeError, match="no attribute 'missing'"):
        _ = extractor_sandbox.missing
