"""The pages of the kinds say what their definitions do, and lead to pages that are there."""

import re

import pytest

from extractor_apis import crd, reference
from extractor_apis.conditions import ConditionType, Reason
from extractor_apis.resource import Resource
from support import pages

KINDS = [pytest.param(kind, id=kind.__name__) for kind in crd.KINDS]
_LINK = re.compile(r"\]\(([^)#]+\.md)?(?:#([a-z-]+))?\)")


def page(kind: type[Resource]) -> str:
    return (pages.ROOT / "docs/spec/v1alpha1" / f"{kind.__name__.lower()}.md").read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_the_tables_have_every_field_as_it_is_defined(kind: type[Resource]) -> None:
    assert reference.fill(page(kind), kind) == page(kind)
    assert page(kind).count("<!-- fields of ") == 2


@pytest.mark.parametrize("kind", KINDS)
def test_every_link_leads_somewhere(kind: type[Resource]) -> None:
    folder = pages.ROOT / "docs/spec/v1alpha1"
    sections = {reason.lower() for reason in Reason}

    for path, section in _LINK.findall(page(kind)):
        assert (folder / path).is_file(), path
        assert not section or section in sections, section


def test_every_condition_is_told_of_by_a_kind() -> None:
    told = {name for kind in crd.KINDS for name in re.findall(r"^\| `(\w+)` \|", page(kind), re.MULTILINE)}

    assert told == set(ConditionType)
