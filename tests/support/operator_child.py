"""An operator that is killed at a moment: before a step, named by its condition, or `after` the last."""

import dataclasses
import os
import signal
import sys
from typing import Any

from extractor_operator import __main__ as operator
from extractor_operator.versions import attempt
from extractor_operator.versions.steps import STEPS, Step


def _dying_before(step: Step) -> Step:
    async def die(*_: Any) -> str | None:
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    return dataclasses.replace(step, ensure=die)


if __name__ == "__main__":
    moment = sys.argv[1]
    steps = tuple(_dying_before(step) if step.condition == moment else step for step in STEPS)
    if moment == "after":
        steps = (*steps, _dying_before(STEPS[-1]))
    sys.exit(operator.main(sys.argv[2:], kinds=(attempt.kind(steps), *operator.KINDS[1:])))
