"""The disposable process of one opinion: ``python -I -m extractor_sandbox.opinions.worker OPTIONS``.

The accepted archive is its standard input. Its result goes to standard output as JSON lines: one before each
file that it reads, and one with the problems at the end.
"""

import dataclasses
import importlib
import json
import os
import sys
from typing import Any

from extractor_sandbox import answer, confinement, limits, zip_reader
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import Problem
from extractor_sandbox.opinions.evidence import Evidence

_MESSAGE_CHARACTERS = 500


def main() -> None:
    """Let one tool read the archive, and say what it finds."""
    # The message of an error may quote a secret.
    sys.excepthook = lambda kind, *_: print(kind.__name__, file=sys.stderr)
    options = json.loads(sys.argv[1])
    # Bandit's way to plugins keeps a cache in the home folder.
    os.environ["XDG_CACHE_HOME"] = os.devnull
    tool = importlib.import_module(f"extractor_sandbox.opinions.{options['module']}")
    confinement.confine(options["seconds"])
    members = zip_reader.read(_whole(sys.stdin.fileno()))
    requirements = options.get("dependencies")
    evidence = Evidence(
        files=tuple(member for member in members if not member.is_directory),
        dependencies=tuple(json.loads(_whole(requirements).content()) if requirements is not None else ()),
        reading=lambda path: answer.say({"reading": path}),
        advisories=options.get("advisories"),
    )
    # However much there is to warn of, what rejects is not left out.
    problems = sorted(tool.problems(evidence), key=lambda problem: problem.severity != "reject")
    if len(problems) > limits.FINDINGS:
        more = f"there are {len(problems) - limits.FINDINGS} more findings than are listed"
        problems[limits.FINDINGS :] = [Problem(more, severity="warn")]
    answer.say({"problems": [_encode(problem) for problem in problems]})


def _whole(descriptor: int) -> Extent:
    return Extent(descriptor, 0, os.fstat(descriptor).st_size)


def _encode(problem: Problem) -> dict[str, Any]:
    fields = dataclasses.asdict(problem)
    return fields | {"message": problem.message[:_MESSAGE_CHARACTERS]}


if __name__ == "__main__":
    main()
