"""Verdicts of an earlier scan, in the worker: what is known of files that have not changed.

A line for each file: a key, a space, the verdict in JSON. The key is a digest of everything that the verdict
depends on but the rules and the Python, for which the launcher keeps files apart. A line that is damaged is
no line; one that lies was written by a scan of the same archive's owner, who gains nothing from it.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from extractor_sandbox.extent import Extent
from extractor_sandbox.imports import Imports
from extractor_sandbox.verdict import FileVerdict, decode, encode

MOST_BYTES = 32 << 20


class Memory:
    """Verdicts by key: those that are known, and those that will be."""

    def __init__(self, known: int, learned: BinaryIO) -> None:
        """Read what is known from one descriptor, to write what is known then to another file."""
        size = os.fstat(known).st_size
        text = Extent(known, 0, size).content() if size <= MOST_BYTES else b""
        self._known = dict(filter(None, map(_split, text.splitlines())))
        self._learned = learned
        self._used: dict[bytes, bytes] = {}

    def recall(self, key: bytes) -> FileVerdict | None:
        """Give the verdict, if there is one."""
        line = self._known.get(key)
        if line is None:
            return None
        try:
            verdict = decode(json.loads(line))
        except (ValueError, TypeError, AttributeError, RecursionError):
            return None
        self._used[key] = line
        return verdict

    def learn(self, key: bytes, verdict: FileVerdict) -> None:
        """Keep a verdict."""
        self._used[key] = json.dumps(encode(verdict)).encode()

    def write(self) -> None:
        """Write everything down, what was of use now first; what is too much is forgotten."""
        left = MOST_BYTES
        for key, line in (self._used | {k: v for k, v in self._known.items() if k not in self._used}).items():
            left -= len(key) + len(line) + 2
            if left < 0:
                break
            self._learned.write(key + b" " + line + b"\n")
        self._learned.flush()


def keys(files: Iterable[tuple[str, Extent]], imports: Imports) -> Iterator[bytes]:
    """Make the key of each file: what it holds, where it lies, and what it may import."""
    allowed = (sorted(imports.modules), imports.top_folder, sorted(imports.dependencies))
    start = hashlib.sha256(json.dumps(allowed).encode())
    for path, content in files:
        engine = start.copy()
        engine.update(json.dumps([path, content.size]).encode())
        for piece in content.pieces():
            engine.update(piece)
        yield engine.hexdigest().encode()


def _split(line: bytes) -> tuple[bytes, bytes] | None:
    key, _, rest = line.partition(b" ")
    return (key, rest) if len(key) == hashlib.sha256().digest_size * 2 else None
