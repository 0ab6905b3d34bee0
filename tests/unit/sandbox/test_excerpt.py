"""Findings quote their source lines: short, in characters, and never a secret."""

import pytest

from extractor_sandbox.finding import Excerpt, Finding
from support.archives import extractor, judge_bytes

AWS_KEY = "AKIA" + "Z7Q2M4X8C1V5B9N3"
RANDOM = "q7Zt1Yv9Rk3Lw5Xp8Nd2Bf4Hj6Gs0Mc"


def judged(text: str, path: str = "processors/step.py") -> list[Finding]:
    return judge_bytes(extractor({path: text})).findings


def quoted(text: str) -> dict[str, tuple[int | None, Excerpt | None]]:
    """Give the columns and excerpts by rule."""
    return {each.rule: (each.problem.column, each.problem.excerpt) for each in judged(text)}


@pytest.mark.parametrize(
    ("text", "rule", "want"),
    [
        pytest.param("import subprocess\n", "C04", (1, Excerpt("import subprocess", 1)), id="a line"),
        pytest.param(
            "é = '日本'; open(é)\r\n",
            "C05",
            (11, Excerpt("é = '日本'; open(é)", 1)),
            id="characters of many bytes",
        ),
        pytest.param(
            "\ufeffimport subprocess", "C04", (1, Excerpt("import subprocess", 1)), id="a byte order mark"
        ),
        pytest.param(
            "x\f = 1; open(x)\n",
            "C05",
            (9, Excerpt("x\f = 1; open(x)", 1)),
            id="a form feed, which ends no line",
        ),
        pytest.param(
            f"{'x = 1; ' * 50}open(x)\n",
            "C05",
            (351, Excerpt(f"{'x = 1; ' * 50}open(x)"[157:], 158)),
            id="the end of a long line",
        ),
        pytest.param(
            f"open({'1, ' * 100}2)\n", "C05", (1, Excerpt(f"open({'1, ' * 100}"[:200], 1)), id="its start"
        ),
    ],
)
def test_a_finding_quotes_its_line(text: str, rule: str, want: tuple[int, Excerpt]) -> None:
    assert quoted(text)[rule] == want


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"key = '{AWS_KEY}'; open(key)\n", id="on the same line"),
        pytest.param(f"open('{RANDOM}')\n", id="a string that looks random"),
        pytest.param(f"# {RANDOM}\nopen(1)  # {RANDOM}\n", id="a comment that looks random"),
        pytest.param(
            "key = '''-----BEGIN RSA PRIVATE KEY-----\nabc '''; open('''\n-----END'''); open(1)\n",
            id="in a private key",
        ),
    ],
)
def test_no_excerpt_shows_a_secret(text: str) -> None:
    found = judged(text)

    shown = " ".join(each.problem.excerpt.text for each in found if each.problem.excerpt)
    assert "C05" in {each.rule for each in found}
    assert not [part for part in (AWS_KEY[:8], RANDOM[:8], "abc") if part in shown]


@pytest.mark.parametrize("length", [31, 190, 199, 201, 999])
@pytest.mark.parametrize("before", [0, 57, 118, 119, 150])
def test_no_part_of_a_long_secret_is_left_over_at_an_end(length: int, before: int) -> None:
    secret = (RANDOM * 40)[:length]
    _, excerpt = quoted(f"{'x = 1; ' * (before // 7)}open(x)  # {secret} {'y ' * 200}\n")["C05"]

    assert excerpt and not [part for part in (secret[:5], secret[-5:]) if part in excerpt.text]


def test_what_is_no_secret_stays_beside_one_that_is_blanked_out() -> None:
    column, excerpt = quoted(f"open(1)  # {RANDOM}\n")["C05"]

    assert (column, excerpt) == (1, Excerpt(f"open(1)  # {'*' * len(RANDOM)}", 1))


def test_lines_of_files_that_are_too_long_for_code_are_not_read() -> None:
    found = judged(f"{'x' * 79}\n" * 14_000 + f"{AWS_KEY}\n", "notes.txt")

    assert [(each.rule, each.problem.line, each.problem.excerpt) for each in found] == [("S01", 14_001, None)]
