"""Runs in processes of their own: killed at a step, or held to a limit."""

import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extractor_stores import StoreError
from support.stores import Objects, run_in

_FORKSERVER = multiprocessing.get_context("forkserver")
# LanceDB takes seconds to import, and puts its threads right again in a fork.
_FORKSERVER.set_forkserver_preload(["lancedb", "support.children"])
_SECONDS = 60
_DIED = 77


def die_at_step(step: str, root: Path, mongodb_uri: str | None, objects: Objects) -> None:
    """Run in a process that ends at a step (``name`` or ``name#2``) without any cleaning up."""
    assert _exit_code(_run_and_die, step, root, mongodb_uri, objects) == _DIED, f"nothing came to {step}"


def fail_at_file_size_limit(root: Path, objects: Objects, limit: int) -> None:
    """Run in a process that may write no file larger than ``limit``, and see that told."""
    assert _exit_code(_run_at_limit, root, objects, limit) == 0


def _exit_code(call: Callable[..., object], *args: Any) -> int | None:
    child = _FORKSERVER.Process(target=call, args=args)
    child.start()
    child.join(_SECONDS)
    if child.is_alive():
        child.kill()
        child.join()
    return child.exitcode


def _run_and_die(step: str, root: Path, mongodb_uri: str | None, objects: Objects) -> None:
    name, _, count = step.partition("#")
    left = int(count or 1)

    def on_step(reached: str) -> None:
        nonlocal left
        left -= reached == name
        if left == 0:
            os._exit(_DIED)

    run_in(root, mongodb_uri, objects, on_step=on_step)


def _run_at_limit(root: Path, objects: Objects, limit: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    with pytest.raises(StoreError, match="no space left on the disk of"):
        run_in(root, None, objects)
