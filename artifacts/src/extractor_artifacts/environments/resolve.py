"""Resolve a version's requirements, once for each image, Python and runtime.

Whoever asks again gets the same answer, whatever has been published since: it is kept by what was asked.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from extractor_apis import naming
from extractor_artifacts.environments import cache as cache_folder
from extractor_artifacts.environments import lockfile, requirement, runtime_index, uv
from extractor_artifacts.environments.cache import Cache
from extractor_artifacts.environments.errors import DependencyConflict, EnvironmentFailed
from extractor_artifacts.environments.lockfile import Locked, Pin
from extractor_artifacts.environments.python import Installed, Python
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.spool import TEMPORARY_PREFIX, Spool

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
        pins = _pins(lines, python, constraints, cache, key)
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


def _pins(
    lines: Sequence[str], python: Python, constraints: Sequence[Installed], cache: Cache, key: str
) -> tuple[Pin, ...]:
    kept = cache.locked(key)
    pins = _known(kept)
    if pins is None:
        with cache.only_one(key) as lock:
            pins = _known(kept)
            if pins is None:
                runtime = _runtime_index(constraints, cache)
                pins = _ask(lines, python, cache, runtime, kept, lock)
                _keep(pins, kept)
    return pins


def _known(path: Path) -> tuple[Pin, ...] | None:
    try:
        with path.open() as file:
            return lockfile.parse(file.read(_MAX_BYTES))
    except (FileNotFoundError, ValueError):
        # What another version of us wrote in another way is written again.
        return None


def _runtime_index(constraints: Sequence[Installed], cache: Cache) -> Path:
    digest = runtime_index.digest(constraints)
    folder = cache.runtime(digest)
    with cache.only_one(digest):
        if not folder.is_dir():
            with cache_folder.staged(folder) as staging:
                runtime_index.write(constraints, staging)
    return folder


def _ask(
    lines: Sequence[str], python: Python, cache: Cache, runtime: Path, kept: Path, lock: int
) -> tuple[Pin, ...]:
    output = kept.with_name(f"{TEMPORARY_PREFIX}{kept.name}")
    output.parent.mkdir(parents=True, exist_ok=True)
    # uv would keep to the versions that a file names which is there already.
    output.unlink(missing_ok=True)
    try:
        verb = uv.compile_command(runtime / runtime_index.CONSTRAINTS, runtime, output)
        uv.run(verb, python, cache, stdin="".join(f"{line}\n" for line in lines), lock=lock)
        with output.open() as file:
            return tuple(sorted(lockfile.parse(file.read(_MAX_BYTES))))
    except ValueError as err:
        raise EnvironmentFailed(f"uv answered what is not understood: {err}") from err
    finally:
        output.unlink(missing_ok=True)


def _keep(pins: tuple[Pin, ...], path: Path) -> None:
    try:
        with Spool(path, origin="the pins", max_bytes=_MAX_BYTES) as spool:
            spool.write(lockfile.render(pins).encode())
            spool.commit()
    except ArtifactError as err:
        raise EnvironmentFailed(f"cannot keep what dependencies came to: {err}") from err
