"""`python -m extractor_sandbox`: one scan, told by paths; what the operator starts, here or in a pod.

The report is a file. The exit status is 0 whatever the verdict, and 1 where there is none, with one line on
standard error that says why.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pydantic

from extractor_apis.errors import ExtractorError
from extractor_apis.scan import ScanPolicy
from extractor_sandbox import launcher, report

_POLICY_BYTES = 1 << 20


def main(arguments: Sequence[str] | None = None, *, worker: launcher.Program = report.WORKER) -> int:
    """Scan as the arguments say; give the exit status."""
    options = _parser().parse_args(arguments)
    try:
        found = report.scan(
            options.archive,
            into=options.into,
            timeout=options.seconds,
            policy=_read_policy(options.policy),
            advisories=options.advisories,
            worker=worker,
        )
        # Complete, or not there: whoever waits for it may look at any time.
        new = options.report.with_name(f".{options.report.name}")
        new.write_text(found.model_dump_json())
        new.replace(options.report)
    except (ExtractorError, OSError) as err:
        print(err, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="extractor-sandbox", description="Scan an archive.")
    parser.add_argument("--archive", type=Path, required=True)
    parser.add_argument("--into", type=Path, required=True, help="where what is accepted goes")
    parser.add_argument("--report", type=Path, required=True, help="where the report goes, as JSON")
    parser.add_argument("--policy", type=Path, help="the namespace's policy, as JSON; the strictest without")
    parser.add_argument("--advisories", type=Path, help="zip of OSV records")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long it may take (%(default)s)")
    return parser


def _read_policy(path: Path | None) -> ScanPolicy:
    if path is None:
        return ScanPolicy()
    with path.open("rb") as file:
        content = file.read(_POLICY_BYTES)
    try:
        return ScanPolicy.model_validate_json(content)
    except pydantic.ValidationError as err:
        raise ExtractorError(f"{path} is no scan policy: {err.errors()[0]['msg']}") from err


if __name__ == "__main__":
    sys.exit(main())
