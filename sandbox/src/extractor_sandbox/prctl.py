"""What a process settles about itself, for good."""

import os
import signal

from extractor_sandbox import syscalls

_SET_PDEATHSIG, _SET_DUMPABLE, _SET_CHILD_SUBREAPER, _SET_NO_NEW_PRIVS = 1, 4, 36, 38


def set_no_new_privileges() -> None:
    """Let no program that is started have more rights; filters ask for it."""
    _prctl(_SET_NO_NEW_PRIVS, 1)


def set_undumpable() -> None:
    """Keep memory and /proc from other processes of the same user; a new program is dumpable again."""
    _prctl(_SET_DUMPABLE, 0)


def die_with_parent() -> None:
    """Be killed when the parent ends, at once if it ends just now. It holds across exec, not across fork."""
    parent = os.getppid()
    _prctl(_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def adopt_orphans(wanted: bool) -> None:
    """Become the parent of descendants that lose theirs, or leave them to the system."""
    _prctl(_SET_CHILD_SUBREAPER, int(wanted))


def _prctl(option: int, value: int) -> None:
    syscalls.call("prctl", option, value, 0, 0, 0)
