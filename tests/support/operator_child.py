"""An operator that is killed at a moment.

Before a step, named by its condition; `after` the last; or when the API server has done its n-th write:
``write-3``.
"""

import dataclasses
import os
import signal
import sys
from typing import Any

from extractor_operator import __main__ as operator
from extractor_operator import kube
from extractor_operator.versions import attempt
from extractor_operator.versions.steps import STEPS, Step


def _dying_before(step: Step) -> Step:
    async def die(*_: Any) -> str | None:
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    return dataclasses.replace(step, ensure=die)


class _DyingClient(kube.Client):
    writes_left = 0

    async def _call(self, method: str, path: str, **options: Any) -> kube.Json:
        answer = await super()._call(method, path, **options)
        if method != "get":
            _DyingClient.writes_left -= 1
            if not _DyingClient.writes_left:
                os.kill(os.getpid(), signal.SIGKILL)
        return answer


if __name__ == "__main__":
    moment = sys.argv[1]
    if moment.startswith("write-"):
        _DyingClient.writes_left = int(moment.removeprefix("write-"))
        # Nothing else stands between a write and what comes after it.
        kube.Client = _DyingClient  # type: ignore[misc]
    steps = tuple(_dying_before(step) if step.condition == moment else step for step in STEPS)
    if moment == "after":
        steps = (*steps, _dying_before(STEPS[-1]))
    sys.exit(operator.main(sys.argv[2:], kinds=(attempt.kind(steps), *operator.KINDS[1:])))
