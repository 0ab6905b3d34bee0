"""`python -m extractor_artifacts.environments`: make an environment in the image it is for, and hand it in.

What a Job runs: the interpreter is the image's own, and so is the list of what is there already. A conflict
is an answer, with exit status 0; what else fails is one line on standard error, and exit status 1.
"""

import functools
import sys
from collections.abc import Sequence
from pathlib import Path

from extractor_artifacts import digest, errand
from extractor_artifacts.environments import (
    Cache,
    DependencyConflict,
    Python,
    archive,
    build,
    installed,
    resolve,
)
from extractor_artifacts.environments.order import Made, Order
from extractor_artifacts.hand_in import hand_in
from extractor_artifacts.login import Fixed
from extractor_artifacts.patience import Patience

_PATIENCE = Patience(total=900.0, attempts=8)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make what is ordered; give the exit status."""
    return errand.main(_make, Order, arguments, program="extractor-environment")


def _make(order: Order, login: Fixed, work: Path) -> None:
    packed, said = work / "environment.tar", work / "made.json"
    send = functools.partial(hand_in, login=login, patience=_PATIENCE, authority=order.authority)
    try:
        made = _build(order, work / "cache", packed)
        send(packed, f"{order.url}/environment")
    except DependencyConflict as err:
        made = Made(conflict=str(err))
    said.write_text(made.model_dump_json())
    # Last, because whoever waits takes it as the end.
    send(said, f"{order.url}/environment-report")


def _build(order: Order, root: Path, packed: Path) -> Made:
    root.mkdir()
    cache = Cache(root, order.packages)
    locked = resolve(
        order.requirements,
        image_digest=order.image,
        python=Python.running(),
        constraints=installed(),
        cache=cache,
    )
    built = build(locked, cache)
    archive.pack(built.path, packed)
    return Made(
        digest=digest.of_file(packed),
        archive_size=packed.stat().st_size,
        packages=built.packages,
        size=built.size,
    )


if __name__ == "__main__":
    sys.exit(main())
