"""A file that does not parse is told where, and what to do about that cause."""

import pytest

from extractor_sandbox.finding import Finding
from support.archives import extractor, judge_bytes


def judged(text: str) -> Finding:
    [found] = [
        each for each in judge_bytes(extractor({"processors/step.py": text})).findings if each.rule == "C02"
    ]
    return found


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        pytest.param("x = 1\ny = 1 +* 2\n", 2, 8, id="an operator"),
        pytest.param("é = '日本' +* 2\n", 1, 11, id="characters of many bytes before it"),
    ],
)
def test_a_mistake_of_syntax_has_its_line_and_column(text: str, line: int, column: int) -> None:
    problem = judged(text).problem

    assert (problem.line, problem.column) == (line, column)
    assert "Correct the syntax" in (problem.advice or "")


def test_a_nul_character_is_not_answered_with_splitting_the_file() -> None:
    assert "save it as UTF-8" in (judged("x = 1\0").problem.advice or "")
