"""What a process tree takes: processor time and memory, watched from outside."""

import contextlib
import os
import platform
import subprocess
import time
from dataclasses import dataclass

import psutil

_EVERY_SECONDS = 0.25


@dataclass(frozen=True)
class Usage:
    """What a process and all its descendants took."""

    cpu: float
    """Seconds of processor."""
    peak: int
    """Bytes at the highest: proportional set size, so that shared pages count once."""


def watch(process: subprocess.Popen[str], seconds: float) -> Usage:
    """Watch a process until it ends. Raises TimeoutExpired, having killed it, when that takes too long."""
    root = psutil.Process(process.pid)
    seen: dict[int, float] = {}
    peak, deadline = 0, time.monotonic() + seconds
    while process.poll() is None:
        if time.monotonic() > deadline:
            process.kill()
            raise subprocess.TimeoutExpired(process.args, seconds)
        memory = 0
        for member in tree(root):
            try:
                times = member.cpu_times()
                seen[member.pid] = times.user + times.system
                memory += member.memory_full_info().pss
            except (psutil.Error, OSError):
                continue
        peak = max(peak, memory)
        time.sleep(_EVERY_SECONDS)
    return Usage(sum(seen.values()), peak)


@dataclass(frozen=True)
class Meter:
    """What a process takes from a moment on, with the children that it has waited for."""

    process: psutil.Process
    before: float = 0.0
    """Seconds of processor that do not count."""
    is_alone: bool = False
    """Whether what it has started does not count: servers, of the process that measures itself."""

    @classmethod
    def of(cls, pid: int) -> "Meter":
        """Count from now on."""
        whole = cls(psutil.Process(pid), is_alone=pid == os.getpid())
        return cls(whole.process, whole.cpu, whole.is_alone)

    @property
    def cpu(self) -> float:
        """Seconds of processor."""
        if self.is_alone:
            return time.process_time() - self.before
        total = 0.0
        for member in tree(self.process):
            with contextlib.suppress(psutil.Error):
                times = member.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total - self.before

    @property
    def memory(self) -> int:
        """Bytes of the process alone, now: its proportional set size."""
        return int(self.process.memory_full_info().pss)


def tree(root: psutil.Process) -> list[psutil.Process]:
    """List a process and its descendants that are alive."""
    try:
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def machine() -> dict[str, object]:
    """Describe the machine, as every result must."""
    return {"cpus": os.cpu_count(), "python": platform.python_version(), "platform": platform.platform()}
