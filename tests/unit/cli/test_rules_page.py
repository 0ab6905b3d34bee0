"""The rule reference is made of the rules, and the committed page is the newest."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from extractor_cli import rules
from extractor_cli.__main__ import app
from extractor_sandbox import RULES

PAGE = Path(__file__).parents[3] / "docs/rules.md"


def called(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["rules", *arguments])


def test_the_committed_page_is_what_make_generate_writes() -> None:
    assert PAGE.read_text() == rules.page(), "make generate"


@pytest.mark.parametrize("id", RULES)
def test_the_page_explains_every_rule(id: str) -> None:
    section = rules.page().partition(f"### {id}\n")[2].partition("###")[0]

    assert RULES[id].explanation in section
    assert RULES[id].advice in section


def test_rules_are_shown_by_their_ids_in_any_case() -> None:
    assert called("c04", "Z03").stdout == called("C04", "z03").stdout
    assert "import subprocess" in called("c04").stdout


def test_without_ids_all_rules_are_listed_in_the_order_of_the_page() -> None:
    listed = [line.split()[0] for line in called().stdout.splitlines()]

    assert sorted(listed) == sorted(RULES)
    assert listed == re.findall("^### (.*)$", rules.page(), re.MULTILINE)


def test_an_unknown_rule_is_a_mistake_of_usage() -> None:
    assert called("C99").exit_code == 2
