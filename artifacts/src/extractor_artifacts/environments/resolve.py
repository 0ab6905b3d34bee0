"""Resolve a version's requirements, once for each image, Python and runtime.

Whoever asks again gets the same answer, whatever has been published since: it is kept by what was asked.
"""

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from extractor_apis import naming
from extractor_artifacts.environments import cache as cache_folder
from extractor_artifacts.environments import lockfile, requirement, runtime_index, uv
from extractor_artifacts.environments.cache import Cache
from extractor_artifacts.environments.errors import DependencyConflict, EnvironmentFailed
from extractor_artifacts.environments.lockfile import Locked, Pin
from extractor_artifacts.environments.python import Installed, Python
from extractor_artifacts.spool import Spool

_MAX_BYTES = 16 << 20


def resolve(
    requirements: Iterable[str],
    *,
    image_digest: str,
    python: Python,
    constraints: Sequence[Installed],
    cache: Cache,
) -> Locked:
    """Find versions that fit each other and what the runtime has, and pin them with their hashes.

    Raises DependencyConflict where there are none, with the resolver's sentence, and EnvironmentFailed where
    it could not be found out. Blocks, so an event loop must hand it to a thread.
    """
    lines = requirement.lines(requirements)
    if not lines:
        return Locked(image_digest, python, ())
    runtime = runtime_index.digest(constraints)
    asked = (image_digest, python.abi, python.platform or "", runtime, *lines)
    key = naming.stable_hash(*asked)[: lockfile.KEY_DIGITS]
    try:
        pins = _known(cache.locked(key))
        if pins is None:
            with cache.only_one(key) as lock:
                pins = _known(cache.locked(key))
                if pins is None:
                    index = _runtime_index(runtime, constraints, cache)
                    pins = _ask(lines, python, cache, index, lock)
                    _keep(pins, cache.locked(key))
    except OSError as err:
        raise EnvironmentFailed(f"cannot resolve dependencies in {cache.root}: {err.strerror}") from err
    names = {each.name for each in constraints}
    added = tuple(pin for pin in pins if pin.name not in names)
    if len(added) > cache.limits.packages:
        raise DependencyConflict(
            f"the dependencies come to {len(added)} distributions, and {cache.limits.packages} are allowed: "
            "depend on fewer"
        )
    return Locked(image_digest, python, added)


def _runtime_index(digest: str, constraints: Sequence[Installed], cache: Cache) -> Path:
    folder = cache.runtime(digest)
    with cache.only_one(digest):
        if not folder.is_dir():
            with cache_folder.staged(folder) as staging:
                runtime_index.write(constraints, staging)
    return folder


def _known(path: Path) -> tuple[Pin, ...] | None:
    try:
        with path.open() as file:
            return lockfile.parse(file.read(_MAX_BYTES))
    except (FileNotFoundError, ValueError):
        # What another version of us wrote in another way is written again.
        return None


def _ask(lines: Sequence[str], python: Python, cache: Cache, runtime: Path, lock: int) -> tuple[Pin, ...]:
    with tempfile.TemporaryDirectory(prefix="extractor-") as folder:
        output = Path(folder, "pins.txt")
        verb = uv.compile_command(runtime / runtime_index.CONSTRAINTS, runtime, output)
        uv.run(verb, python, cache, stdin="".join(f"{line}\n" for line in lines), lock=lock)
        with output.open() as file:
            text = file.read(_MAX_BYTES)
    try:
        return tuple(sorted(lockfile.parse(text)))
    except ValueError as err:
        raise EnvironmentFailed(f"uv answered what is not understood: {err}") from err


def _keep(pins: tuple[Pin, ...], path: Path) -> None:
    content = lockfile.render(pins).encode()
    with Spool(path, origin="the pins", max_bytes=_MAX_BYTES) as spool:
        spool.write(content)
        spool.commit()
