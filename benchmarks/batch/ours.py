"""The same job through `extractor_runtime.batch`, from the accepted tree on, sink and documents included.

Run as a script: CONFIG; prints when the first row was there, and when it was done.
"""

import json
import sys
import time
from pathlib import Path

STARTED = time.monotonic()


def main(file: Path) -> None:
    """Run one RunConfig."""
    from extractor_apis.run import RunConfig
    from extractor_runtime.batch import ingest

    first = 0.0

    def on_state(state):
        nonlocal first
        if state.documents and not first:
            first = time.monotonic()

    state = ingest.run(RunConfig.model_validate_json(file.read_bytes()), on_state=on_state)
    done = time.monotonic()
    print(
        json.dumps({"first": first - STARTED, "total": done - STARTED, "rows": state.documents_total}),
        flush=True,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
