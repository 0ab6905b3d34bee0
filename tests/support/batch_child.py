"""A batch run in a process of its own, which may be told to die: CONFIG [STEP NTH].

With a step it kills itself, without any clean-up, right before that step (the NTH time it comes).
"""

import os
import signal
import sys
from pathlib import Path

from extractor_apis.run import RunConfig
from extractor_runtime.batch import ingest


def main() -> None:
    """Run, or die at the step."""
    file, step, nth = (*sys.argv[1:], "", "1")[:3]
    seen: list[str] = []

    def on_step(name: str) -> None:
        seen.append(name)
        print(name, flush=True)
        if name == step and seen.count(name) == int(nth):
            os.kill(os.getpid(), signal.SIGKILL)

    config = RunConfig.model_validate_json(Path(file).read_bytes())
    print(
        ingest.run(config, on_step=on_step, mongodb_uri=os.environ.get("MONGODB_URI")).model_dump_json(),
        flush=True,
    )


if __name__ == "__main__":
    main()
