"""Ray for as long as one command runs: started on this machine, or the cluster that runs the command.

Of what is started here nothing outlives the command: Ray's processes die with the driver (`watchdog` sees to
the stragglers), and its session folder (sockets, logs, spilled objects) is a temporary one of ours.
"""

import contextlib
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from extractor_runtime import logs as kept
from extractor_runtime import watchdog

_OBJECT_STORE_BYTES = 1 << 30
_ENVIRONMENT = {
    # Nobody collects them on one machine.
    "RAY_enable_metrics_collection": "0",
    # A thread of Ray's that is late at the end would start a second Ray of its own.
    "RAY_ENABLE_AUTO_CONNECT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    # The core worker prints its own INFO and ERROR lines on the driver's stderr, past Python's logging.
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Ray prints what its daemons report, the death of a worker for one, on the driver's stdout.
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
    # What one worker prints: two files at most, by default six of 100 MiB.
    "RAY_ROTATION_MAX_BYTES": str(8 << 20),
    "RAY_ROTATION_BACKUP_COUNT": "1",
}
SHORT = "/tmp"
"""Unix socket paths end at 107 bytes: Ray's folder has a short one, unless ``TMPDIR`` is short, too."""
_SHORT_BYTES = 107 - len(
    "/extractor-abcdefgh/session_2026-11-22_21-27-00_123456_4194304/sockets/plasma_store"
)


@contextlib.contextmanager
def temporary_folder(parent: str | None = None) -> Iterator[Path]:
    """Make a folder, with a short path, that is removed in the end, and every process that writes there."""
    folder = Path(tempfile.mkdtemp(prefix="extractor-", dir=parent or _short()))
    with watchdog.guard(folder):
        yield folder


@contextlib.contextmanager
def local(*, cpus: int | None = None, logs: Path | None = None, folder: Path | None = None) -> Iterator[int]:
    """Start Ray in this process, yield the number of processors it has, and stop it.

    Its own files are in ``folder``, or in a temporary one; logs of all processes are copied to ``logs`` at
    the end, so that they outlive it. What workers leave in temporary files goes with them.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # Without kept bytecode every worker compiles its imports again: twice the start-up time.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    import ray

    cpus = cpus or _processors()
    with contextlib.ExitStack() as resources:
        folder = folder or resources.enter_context(temporary_folder())
        temporary = folder / "tmp"
        if (wanted := tempfile.gettempdir()) != _short():
            temporary = resources.enter_context(temporary_folder(wanted))
        temporary.mkdir(exist_ok=True)
        if logs is not None:
            resources.callback(kept.copy, folder, logs)
        resources.callback(_stop)
        resources.enter_context(_terminable())
        with _stderr_to(folder / "ray-init.err"), environment({"TMPDIR": str(temporary)}):
            ray.init(
                # Also where RAY_ADDRESS says that there is a cluster.
                address="local",
                num_cpus=cpus,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="ERROR",
                object_store_memory=_OBJECT_STORE_BYTES,
                _temp_dir=str(folder),
            )
        resources.enter_context(_terminable())
        yield cpus


@contextlib.contextmanager
def joined(*, logs: Path) -> Iterator[int]:
    """Be the driver of the cluster that RAY_ADDRESS names, and yield the number of processors it has.

    What its processes print is kept in ``logs`` while it goes on, and at the end.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import ray

    with contextlib.ExitStack() as resources:
        resources.enter_context(_terminable())
        ray.init(address="auto", log_to_driver=False, logging_level="ERROR")
        resources.callback(_stop)
        resources.enter_context(_terminable())
        resources.enter_context(kept.gathered(logs))
        yield int(ray.cluster_resources().get("CPU", 0))


@contextlib.contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables for this process, and for those that it starts meanwhile."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _short() -> str:
    wanted = tempfile.gettempdir()
    return wanted if len(wanted) <= _SHORT_BYTES else SHORT


def _stop() -> None:
    import ray

    with contextlib.suppress(KeyboardInterrupt):
        ray.shutdown()


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end the process as Ctrl-C does: cleaned up, without the stack that Ray's handler prints.

    Once around `ray.init`, which sets that handler, so that none of Ray's is left; and once after it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _processors() -> int:
    """Count the processors that this process may use, which in a container are fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def _stderr_to(file: Path) -> Iterator[None]:
    """Send file descriptor 2 to a file: Ray's C++ side greets there, past Python and every log setting."""
    sys.stderr.flush()
    saved, log = os.dup(2), os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.dup2(log, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(log)
