"""The entry point of a run in a cluster: `python -m extractor_runtime.batch --config FILE`."""

import argparse
import os
import sys
from pathlib import Path

from extractor_apis.errors import ExtractorError
from extractor_apis.run import RunConfig
from extractor_runtime.batch import ingest


def main() -> None:
    """Run the config file that is given; exit 1 with one line on stderr when the run fails."""
    parser = argparse.ArgumentParser(prog="python -m extractor_runtime.batch", description=ingest.run.__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a RunConfig as JSON")
    config = RunConfig.model_validate_json(parser.parse_args().config.read_bytes())
    try:
        state = ingest.run(config, mongodb_uri=os.environ.get("MONGODB_URI"))
    except ExtractorError as error:
        sys.exit(f"extractor: {error}")
    print(state.model_dump_json())


if __name__ == "__main__":
    main()
