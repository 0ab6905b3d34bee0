"""What findings weigh in a namespace: the operator's policy is applied here, to what the rules found.

Advisory is for code of one's own. It excuses what the rules for code say, and nothing else.
"""

from collections.abc import Iterable

from extractor_apis.scan import Finding, ScanPolicy, Severity, Strictness

# C01 and C02 stay: code that cannot be read has not been judged.
_EXCUSABLE = frozenset(f"C{number:02}" for number in range(3, 13))


def weigh(findings: Iterable[Finding], policy: ScanPolicy) -> tuple[Finding, ...]:
    """Give findings the weight that they have under a policy."""
    if policy.strictness is Strictness.STRICT:
        return tuple(findings)
    return tuple(map(_excuse, findings))


def _excuse(finding: Finding) -> Finding:
    if finding.rule not in _EXCUSABLE or finding.severity is not Severity.REJECT:
        return finding
    return finding.model_copy(update={"severity": Severity.WARN, "excused": True})
