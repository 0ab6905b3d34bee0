"""A case that was once judged right stays so; support/floor.py says how new ones are added."""

import pytest

from support import floor

CASES = floor.cases()
KNOWN = floor.known()


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_judged_as_it_was(name: str) -> None:
    """By one of the rules that rejected it, if any did: others may have come, or gone."""
    rules, known = floor.judged(CASES[name]), KNOWN[name]

    assert set(rules) & set(known) if known else not rules


def test_the_floor_has_all_cases_and_no_case_got_lost() -> None:
    assert set(CASES) <= set(KNOWN)
    assert {name for name in KNOWN if not name.startswith(floor.PUBLIC)} <= set(CASES)


def test_the_policys_own_samples_stand_in_the_floor_as_it_decides_them() -> None:
    verdicts = floor.public_verdicts()

    assert {name: "reject" if KNOWN[name] else "accept" for name in verdicts} == verdicts
