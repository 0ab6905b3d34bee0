"""The disposable process that reads one archive: ``python -I -m extractor_sandbox.worker OPTIONS``.

The archive is its standard input, and OPTIONS name the descriptors that it writes to: apart from its own
modules it opens nothing. Its result goes to standard output as JSON lines, one before each file that it reads
and one with the outcome at the end.
"""

import dataclasses
import gc
import json
import os
import sys
from typing import Any

from extractor_sandbox import confinement, rules
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import Finding
from extractor_sandbox.judge import Case, Outcome, judge

_MESSAGE_CHARACTERS = 500


def main() -> None:
    """Judge the archive and say what came out."""
    options = json.loads(sys.argv[1])
    confinement.confine(options["seconds"])
    # Syntax trees hold no cycles, and the process ends before anything else would matter.
    gc.disable()
    with open(options["canonical"], "wb") as canonical, open(options["scratch"], "wb") as scratch:
        outcome = judge(
            Case(
                archive=Extent(sys.stdin.fileno(), 0, os.fstat(sys.stdin.fileno()).st_size),
                canonical=canonical,
                scratch=scratch,
                allowed_dependencies=frozenset(options["allowed_dependencies"]),
                reading=lambda path: _say({"reading": path}),
            )
        )
    _say({"outcome": _encode(outcome)})


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def _encode(outcome: Outcome) -> dict[str, Any]:
    fields = {field.name: getattr(outcome, field.name) for field in dataclasses.fields(outcome)}
    return {
        **fields,
        "findings": [_encode_finding(finding) for finding in outcome.findings],
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }


def _encode_finding(finding: Finding) -> dict[str, Any]:
    problem = dataclasses.asdict(finding.problem)
    return {
        **problem,
        "rule": finding.rule,
        "message": finding.problem.message[:_MESSAGE_CHARACTERS],
        "advice": finding.problem.advice or rules.RULES[finding.rule].advice,
    }


if __name__ == "__main__":
    main()
