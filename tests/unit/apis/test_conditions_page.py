"""The page about conditions tells of all of them."""

import pytest

from extractor_apis.conditions import ConditionType, Reason
from support import pages


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_section(reason: Reason) -> None:
    assert f"\n## {reason}\n" in (pages.ROOT / "docs/conditions.md").read_text()


@pytest.mark.parametrize("condition", ConditionType)
def test_every_condition_has_a_row(condition: ConditionType) -> None:
    assert f"\n| `{condition}` |" in (pages.ROOT / "docs/conditions.md").read_text()
