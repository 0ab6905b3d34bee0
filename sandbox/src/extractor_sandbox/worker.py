"""The disposable process that reads one archive: ``python -I -m extractor_sandbox.worker OPTIONS``.

The archive is its standard input, and OPTIONS name the descriptors that it writes to: apart from its own
modules it opens nothing. Its result goes to standard output as JSON lines, one before each file that it reads
and one with the outcome at the end.
"""

import contextlib
import dataclasses
import functools
import gc
import json
import os
import sys
from typing import Any

from extractor_sandbox import answer, confinement, crew, rules
from extractor_sandbox.confinement import Confinement, ConfinementError
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import Finding, Problem
from extractor_sandbox.judge import Case, Outcome, judge
from extractor_sandbox.memory import Memory

_MESSAGE_CHARACTERS = 500


def main() -> None:
    """Judge the archive and say what came out."""
    options = json.loads(sys.argv[1])
    confine = functools.partial(
        confinement.confine, options["seconds"], require_landlock=options["require_landlock"]
    )
    # What is judged leaves no circles behind (`Source.forget`), and the process ends soon.
    gc.disable()
    # Here, and only here, more processes may be started.
    team = crew.muster(options["crew"], confine, closed=(options["canonical"], options["scratch"]))
    try:
        confined = confine()
    except ConfinementError as error:
        answer.say({"unconfined": str(error)})
        sys.exit(1)
    with contextlib.ExitStack() as stack:
        canonical, scratch = (
            stack.enter_context(open(options[name], "wb")) for name in ("canonical", "scratch")
        )
        known = None
        if "known" in options:
            learned = stack.enter_context(open(options["learned"], "wb"))
            known = Memory(options["known"], learned)
        outcome = judge(
            Case(
                archive=Extent(sys.stdin.fileno(), 0, os.fstat(sys.stdin.fileno()).st_size),
                canonical=canonical,
                scratch=scratch,
                allowed_dependencies=frozenset(options["allowed_dependencies"]),
                reading=lambda path: answer.say({"reading": path}),
                crew=team,
                memory=known,
                reader=options["reader"],
            )
        )
    if confined.lacking:
        outcome.findings.append(Finding(rules.CONFINED.id, Problem(confined.lacking, severity="warn")))
    answer.say({"outcome": _encode(outcome, confined)})


def _encode(outcome: Outcome, confined: Confinement) -> dict[str, Any]:
    fields = {field.name: getattr(outcome, field.name) for field in dataclasses.fields(outcome)}
    del fields["tree"]
    return {
        **fields,
        "findings": [_encode_finding(finding) for finding in outcome.findings],
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "confinement": confined.measures,
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
