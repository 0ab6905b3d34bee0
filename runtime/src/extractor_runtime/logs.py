"""What a run's processes printed, kept in the run's folder when their machines are gone.

On one machine they are copied at the end. In a cluster every node is asked again and again by the driver,
so that a node which is lost leaves what it had said until then. Of each file at most the ends are kept.
"""

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_KEPT_BYTES = 1 << 20
"""What is kept of a log's beginning, and as much of its end."""
_PERIOD_SECONDS = 60.0
_ANSWER_SECONDS = 15.0
_MESSAGE_BYTES = 64 << 20
"""What a node answers at most; the rest comes the next time."""

Known = dict[str, int]
"""Sizes of the files that were read before, by name."""
Log = tuple[str, int, bytes]
"""Name, size and ends of a file."""


def copy(folder: Path, logs: Path) -> None:
    """Keep what workers and the driver printed; Ray's own daemons only where something went wrong."""
    for session in sorted(folder.glob("session_2*/logs")):
        _write(read(session, {}), logs)


@contextlib.contextmanager
def gathered(logs: Path, *, every: float = _PERIOD_SECONDS) -> Iterator[None]:
    """Keep what is printed on all nodes of the cluster that this process is connected to."""
    stopped = threading.Event()
    known: dict[str, Known] = {}

    def gather() -> None:
        while not stopped.wait(every):
            _gather(logs, known)

    thread = threading.Thread(target=gather, daemon=True, name="logs")
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(_ANSWER_SECONDS)
        _gather(logs, known)


def read(folder: Path, known: Known) -> Iterator[Log]:
    """Read the ends of the logs in a folder that have grown."""
    for path in sorted(folder.glob("**/*")):
        wanted = path.name.startswith(("worker-", "job-driver", "python-core-worker", "ray-data", "serve"))
        with contextlib.suppress(OSError):
            if wanted and path.is_file() and (size := path.stat().st_size) > known.get(path.name, 0):
                yield path.name, size, _ends(path, size)


def _gather(logs: Path, known: dict[str, Known]) -> None:
    """Ask every node for what is new. What does not come, or cannot be kept, is no reason to fail a run."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On

    ask = ray.remote(num_cpus=0, max_retries=0)(_read_here)
    with contextlib.suppress(ray.exceptions.RayError, OSError):
        nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
        asked = {
            ask.options(scheduling_strategy=On(node, soft=False)).remote(known.get(node, {})): node
            for node in nodes
        }
        answered, _ = ray.wait(list(asked), num_returns=len(asked), timeout=_ANSWER_SECONDS)
        for reference in answered:
            with contextlib.suppress(ray.exceptions.RayError):
                found: list[Log] = ray.get(reference)
                _write(found, logs)
                known.setdefault(asked[reference], {}).update({name: size for name, size, _ in found})


def _read_here(known: Known) -> list[Log]:
    """Read the logs of the node that this task runs on; Ray has no public name for their folder."""
    import ray

    node: Any = ray._private.worker._global_node
    found: list[Log] = []
    left = _MESSAGE_BYTES
    for log in read(Path(node.get_logs_dir_path()), known):
        found.append(log)
        left -= len(log[2])
        if left < 0:
            break
    return found


def _write(found: Iterable[Log], logs: Path) -> None:
    for name, _, content in found:
        logs.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):
            (logs / name).write_bytes(content)


def _ends(path: Path, size: int) -> bytes:
    """Read a file, or the beginning and the end of a long one."""
    left_out = size - 2 * _KEPT_BYTES
    with path.open("rb") as file:
        if left_out <= 0:
            return file.read(size)
        beginning = file.read(_KEPT_BYTES)
        file.seek(-_KEPT_BYTES, os.SEEK_END)
        return beginning + b"\n... %d bytes are left out here ...\n" % left_out + file.read(_KEPT_BYTES)
