"""The process of a Job that the operator sends for something: an order, and a capability to do it.

What fails is one line on standard error, and exit status 1: the pod's termination message is made of it.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pydantic

from extractor_apis.errors import ExtractorError
from extractor_apis.meta import Struct
from extractor_artifacts.login import Fixed

Order = TypeVar("Order", bound=Struct)

_ORDER_BYTES = 1 << 20
_TOKEN_BYTES = 4096


def main(
    does: Callable[[Order, Fixed, Path], None],
    order: type[Order],
    arguments: Sequence[str] | None = None,
    *,
    program: str,
) -> int:
    """Read the order and the capability, do it in the folder that is given, and give the exit status."""
    options = _parser(program).parse_args(arguments)
    try:
        ordered = order.model_validate_json(_read(options.config, _ORDER_BYTES))
        login = Fixed(f"Bearer {_read(options.capability, _TOKEN_BYTES).decode().strip()}")
        does(ordered, login, options.work)
    except pydantic.ValidationError as err:
        print(f"{options.config} is no order for {program}: {err.errors()[0]['msg']}", file=sys.stderr)
    except (ExtractorError, OSError) as err:
        print(err, file=sys.stderr)
    else:
        return 0
    return 1


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description="Do what the operator's Job is sent for.")
    parser.add_argument("--config", type=Path, required=True, help="what is ordered, as JSON")
    parser.add_argument("--capability", type=Path, required=True, help="file with the token for it")
    parser.add_argument("--work", type=Path, required=True, help="folder for what is on its way")
    return parser


def _read(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        return file.read(limit)
