"""The entry point of a run in a cluster: `python -m extractor_runtime.batch --config FILE`.

Ray's job supervisor sets RAY_ADDRESS, and so this process becomes the driver of the cluster that it is in.
Whoever shows why a run failed shows the last line.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

from extractor_apis.errors import ExtractorError
from extractor_apis.run import RunConfig
from extractor_runtime import image
from extractor_runtime.batch import ingest

_INTERRUPTED = 128 + signal.SIGTERM


def main() -> None:
    """Run the config file that is given; exit 0 only when what it made is published."""
    parser = argparse.ArgumentParser(prog="python -m extractor_runtime.batch", description=ingest.run.__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a RunConfig as JSON")
    config = RunConfig.model_validate_json(parser.parse_args().config.read_bytes())
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        image.check(config.platform)
        state = ingest.run(
            config,
            mongodb_uri=os.environ.get("MONGODB_URI"),
            in_cluster=bool(os.environ.get("RAY_ADDRESS")),
        )
    except ExtractorError as error:
        sys.exit(f"extractor: {error}")
    except KeyboardInterrupt:
        print("extractor: interrupted; run again to go on from the last checkpoint", file=sys.stderr)
        sys.exit(_INTERRUPTED)
    print(state.model_dump_json())


if __name__ == "__main__":
    main()
