"""What runs leave in the results, a store of each namespace, as far as the operator reads it.

Pods write there, so that nothing in it is trusted: no path leads out of it, no link is followed, only
files are opened, and of each no more than a limit is read.
"""

import contextlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TypeVar
from urllib.parse import urlsplit

import pydantic

from extractor_apis import results
from extractor_apis.meta import Struct
from extractor_apis.results import CompletionRecord, Pointer
from extractor_apis.run import RunState
from extractor_apis.settings import Cluster

STATE_BYTES = 1 << 20
_RECORD_BYTES = 16 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
"""A pipe would block whoever opens it."""

M = TypeVar("M", bound=Struct)


@dataclass(frozen=True)
class Results:
    """The results of one namespace. Every call blocks."""

    root: Path
    """Of all namespaces; from there on nothing is trusted."""
    namespace: str
    url: str
    """Of this namespace, for people."""

    @classmethod
    def of(cls, cluster: Cluster, namespace: str) -> "Results":
        """Find them: a folder for each namespace."""
        url = cluster.results.rstrip("/")
        return cls(Path(urlsplit(url).path), namespace, f"{url}/{namespace}")

    def state(self, run: str) -> RunState | None:
        """Read how far a run is; None while it has told nothing."""
        return self._read(RunState, results.run(run) / "state.json", STATE_BYTES)

    def logs(self, run: str) -> str:
        """Say where the logs of a run are."""
        return f"{self.url}/{results.run(run) / 'logs'}"

    def dead_letters(self, run: str) -> str:
        """Say where the dead letters of a run are."""
        return f"{self.url}/{results.run(run) / 'dead-letters'}"

    def published(self, collection: str, extractor: str) -> CompletionRecord | None:
        """Read what answers when no version is named; None if nothing does."""
        pointer = self._read(Pointer, results.pointer(collection, extractor), STATE_BYTES)
        return self.record(collection, extractor, pointer.version) if pointer else None

    def record(self, collection: str, extractor: str, version: str) -> CompletionRecord | None:
        """Read what is published of a version; None if nothing is."""
        path = results.record(collection, extractor, version)
        return self._read(CompletionRecord, path, _RECORD_BYTES)

    def _read(self, model: type[M], path: PurePath, limit: int) -> M | None:
        content = _read_beneath(self.root, (self.namespace, *path.parts), limit)
        if content is None:
            return None
        # What is damaged, or was never ours, says nothing.
        with contextlib.suppress(pydantic.ValidationError):
            return model.model_validate_json(content)
        return None


def _read_beneath(root: Path, path: Sequence[str], limit: int) -> bytes | None:
    """Read a file without following a link on the way to it; None if it is none, or too large."""
    if any(part == ".." or "/" in part for part in path):
        return None
    with contextlib.ExitStack() as stack:
        try:
            at = _open(stack, str(root), os.O_RDONLY | os.O_DIRECTORY)
            for part in path[:-1]:
                at = _open(stack, part, _FOLDER, at)
            file = _open(stack, path[-1], _FILE, at)
        except OSError:
            return None
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return None
        with open(file, "rb", closefd=False) as reader:
            content = reader.read(limit + 1)
    return content if len(content) <= limit else None


def _open(stack: contextlib.ExitStack, path: str, flags: int, at: int | None = None) -> int:
    descriptor = os.open(path, flags | os.O_CLOEXEC, dir_fd=at)
    stack.callback(os.close, descriptor)
    return descriptor
