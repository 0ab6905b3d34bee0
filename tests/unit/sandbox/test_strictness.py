"""Advisory excuses what rules say about code, and nothing else."""

import pytest

from extractor_apis.scan import Finding, ScanPolicy, Severity, Strictness
from extractor_sandbox import strictness
from extractor_sandbox.rules import RULES

ADVISORY = ScanPolicy(strictness=Strictness.ADVISORY)
EXCUSED = {"C03", "C04", "C05", "C06", "C08", "C09", "C10", "C11", "C12"}


def weighed(rule: str, severity: Severity, policy: ScanPolicy) -> tuple[Severity, bool]:
    [finding] = strictness.weigh([Finding(rule=rule, severity=severity, message="it is wrong")], policy)
    return finding.severity, finding.excused


@pytest.mark.parametrize("rule", sorted(EXCUSED))
def test_advisory_turns_rejections_of_code_into_warnings(rule: str) -> None:
    assert weighed(rule, Severity.REJECT, ADVISORY) == (Severity.WARN, True)


@pytest.mark.parametrize("rule", sorted(RULES.keys() - EXCUSED))
def test_advisory_leaves_all_other_rules_alone(rule: str) -> None:
    assert weighed(rule, Severity.REJECT, ADVISORY) == (Severity.REJECT, False)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_strict_leaves_every_rule_alone(rule: str) -> None:
    assert weighed(rule, Severity.REJECT, ScanPolicy()) == (Severity.REJECT, False)


def test_what_only_warns_is_not_counted_as_excused() -> None:
    assert weighed("C10", Severity.WARN, ADVISORY) == (Severity.WARN, False)
