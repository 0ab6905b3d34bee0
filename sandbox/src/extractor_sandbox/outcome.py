"""What a worker said of an archive, read as what it is: the word of a process that may have been taken over.

It is there whole, or not at all.
"""

import sys
from collections.abc import Sequence

from pydantic import ValidationError, field_validator
from pydantic_core import ErrorDetails, from_json

from extractor_apis.errors import ExtractorError
from extractor_apis.manifest import JsonObject, Manifest
from extractor_apis.meta import Struct
from extractor_apis.scan import Finding, Severity
from extractor_sandbox.finding import shown
from extractor_sandbox.rules import RULES

_NOT_UNDERSTOOD = "it said what cannot be understood"
_FIELD_NAMES = {"name": "feature_extractor_name", "vectors": "features", "attributes": "features"}


class ScanError(ExtractorError):
    """A scan that could not be started or finished, for a reason that is not in the archive."""


class Outcome(Struct):
    """The worker's last line."""

    findings: tuple[Finding, ...]
    names: JsonObject | None
    lines: dict[str, int]
    top_folder: str | None
    files: int
    size: int
    python: str
    confinement: tuple[str, ...] = ()

    is_complete: bool = True
    """Whether the worker came to its end."""

    @field_validator("findings")
    @classmethod
    def _every_rule_is_ours(cls, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        if unknown := {each.rule for each in findings} - RULES.keys():
            raise ValueError(f"no rules of ours: {unknown}")
        return findings


def reject(findings: Sequence[Finding]) -> bool:
    """Tell whether a finding rejects."""
    return any(finding.severity is Severity.REJECT for finding in findings)


def read(end: str | None, answer: bytes) -> Outcome:
    """Read the worker's lines; what is no outcome becomes a finding.

    Raises ScanError if the worker could not be confined, which it says first or not at all: the archive has
    not been touched then.
    """
    path = None
    try:
        for index, line in enumerate(answer.splitlines()):
            said = from_json(line)
            if index == 0 and end is not None and "unconfined" in said:
                raise ScanError(f"the archive was not scanned: {shown(str(said['unconfined']))}")
            path = said.get("reading", path)
            if end is None and "outcome" in said:
                outcome = Outcome.model_validate(said["outcome"])
                if reject(outcome.findings) or outcome.names is not None:
                    return outcome
    except (ValueError, TypeError, AttributeError):
        end = end or _NOT_UNDERSTOOD
    finding = _explain_no_verdict(
        end or "it ended without an outcome", path if isinstance(path, str) else None
    )
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Outcome(
        findings=(finding,),
        is_complete=False,
        names=None,
        lines={},
        top_folder=None,
        files=0,
        size=0,
        python=python,
    )


def make_manifest(outcome: Outcome) -> tuple[Manifest | None, tuple[Finding, ...]]:
    """Make one model of the manifest's fields; those that do not fit become findings with their lines."""
    if outcome.names is None:
        return None, ()
    try:
        return Manifest.from_names(outcome.names), ()
    except ValidationError as err:
        return None, tuple(_describe_unfit(error, outcome.lines) for error in err.errors(include_url=False))
    except (ValueError, TypeError, AttributeError, LookupError):
        # The rules let none of this pass: it is not they who said it.
        return None, (_explain_no_verdict(_NOT_UNDERSTOOD),)


def _explain_no_verdict(reason: str, path: str | None = None) -> Finding:
    return Finding(
        rule="X01",
        severity=Severity.REJECT,
        message=f"the scan came to no verdict: {reason}",
        path=path,
        advice=RULES["X01"].advice,
    )


def _describe_unfit(error: ErrorDetails, lines: dict[str, int]) -> Finding:
    field, *rest = (shown(str(part)) for part in error["loc"])
    name = _FIELD_NAMES.get(field, field)
    return Finding(
        rule="M07",
        severity=Severity.REJECT,
        message=f"`{'.'.join([name, *rest])}`: {error['msg']}",
        path="manifest.py",
        line=lines.get(name),
        advice=RULES["M07"].advice,
    )
