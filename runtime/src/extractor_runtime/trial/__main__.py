"""The process in which an extractor is tried: `python -m extractor_runtime.trial --config FILE`.

It runs the author's code, so whoever starts it confines it. It says JSON lines: each state of the run, and
the report or the error in the end.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from extractor_apis.errors import ExtractorError
from extractor_runtime import errors, redaction
from extractor_runtime.loader import Tree
from extractor_runtime.trial import rehearsal, verdict
from extractor_runtime.trial.config import TrialConfig
from extractor_runtime.trial.verdict import TrialReport


def main() -> None:
    """Try what the config file says; exit 1 when it cannot be tried."""
    parser = argparse.ArgumentParser(prog="python -m extractor_runtime.trial", description=main.__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a TrialConfig as JSON")
    config = TrialConfig.model_validate_json(parser.parse_args().config.read_bytes())
    answers = os.dup(sys.stdout.fileno())
    # What the author's code prints, in this process or another, is no part of the report.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(line: dict[str, Any]) -> None:
        _write(answers, json.dumps(line).encode() + b"\n")

    try:
        report = _try(config, say)
    except ExtractorError as error:
        say({"error": redaction.redact(str(error))})
        sys.exit(1)
    except Exception as error:
        say({"error": redaction.redact(f"internal error, please report it ({errors.describe(error)})")})
        sys.exit(1)
    say({"report": report.model_dump(mode="json")})


def _try(config: TrialConfig, say: Any) -> TrialReport:
    setting = rehearsal.Setting(
        tree=Tree(config.tree, config.artifact_digest, config.top_folder, config.environment),
        manifest=config.manifest,
        files=config.files,
        folder=config.folder,
        parameters=config.parameters,
        services=config.services,
        seconds=config.seconds,
        cpus=config.cpus,
    )
    seen = rehearsal.rehearse(
        setting, config.scan, on_state=lambda state: say({"state": state.model_dump(mode="json")})
    )
    return verdict.judge(config.manifest, seen, min_cosine=config.min_cosine)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


if __name__ == "__main__":
    main()
