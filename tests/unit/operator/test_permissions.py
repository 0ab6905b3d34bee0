"""The Role that is shipped is what the code uses: no verb more, and none less."""

import importlib
import operator
import pkgutil
from collections import defaultdict
from pathlib import Path

import yaml

import extractor_operator
from extractor_operator.permissions import Permission

SHIPPED = Path(__file__).parents[3] / "operator/rbac.yaml"


def used(*, own_namespace_only: bool) -> dict[tuple[str, str], set[str]]:
    """Collect what every module lists."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for info in pkgutil.walk_packages(extractor_operator.__path__, "extractor_operator."):
        module = importlib.import_module(info.name)
        permissions: tuple[Permission, ...] = getattr(module, "PERMISSIONS", ())
        for each in permissions:
            if each.own_namespace_only is own_namespace_only:
                found[each.group, each.resource] |= each.verbs
    return dict(found)


def shipped(name: str) -> dict[tuple[str, str], set[str]]:
    """Read the rules of a role."""
    roles = {role["metadata"]["name"]: role for role in yaml.safe_load_all(SHIPPED.read_text())}
    return {
        (group, resource): set(rule["verbs"])
        for rule in roles[name]["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def test_the_role_has_the_verbs_that_the_code_uses() -> None:
    assert shipped("extractor-operator") == used(own_namespace_only=False)


def test_the_role_in_its_own_namespace_has_the_verbs_that_the_code_uses() -> None:
    assert shipped("extractor-operator-own") == used(own_namespace_only=True)


def test_the_room_does_not_hide_pythons_own_operator() -> None:
    assert operator.__name__ == "operator" and "extractor" not in (operator.__file__ or "")
