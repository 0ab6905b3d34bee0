"""Scans that begin at once: `python -I -W ignore -m extractor_sandbox.service`, which an operator keeps up.

Starting Python and importing our modules is most of a small archive's scan, and is done once. For each
request, a line of JSON on standard input, this process forks one that scans as the command does, and that one
forks its worker, as confined as ever. Here no archive is opened, and nothing is learnt of what a scan found;
an answer is a line with the scan's exit status.
"""

import gc
import json
import os
import select
import signal
import sys
from typing import Any

from extractor_sandbox import __main__ as command
from extractor_sandbox import prctl, worker
from extractor_sandbox.fork import Fork

_PIECE = 64 << 10


class Service:
    """Has every request scanned, all at the same time."""

    def __init__(self) -> None:
        self._begun = b""
        self._scans: dict[int, Any] = {}
        """What the requests called themselves, by process."""
        self._nothing = os.open(os.devnull, os.O_RDWR)
        self._ended, tell = os.pipe()
        for end in (self._ended, tell):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # Collections would touch, and so copy, what the forks share.
        gc.collect()
        gc.freeze()

    def run(self) -> None:
        """Work until standard input ends; who is at work then is killed."""
        waiting = select.poll()
        waiting.register(0, select.POLLIN)
        waiting.register(self._ended, select.POLLIN)
        while True:
            for descriptor, _ in waiting.poll():
                if descriptor == self._ended:
                    os.read(self._ended, _PIECE)
                    self._reap()
                elif not self._read():
                    for process in self._scans:
                        os.killpg(process, signal.SIGKILL)
                    return

    def _read(self) -> bool:
        """Take what was asked; tell whether more may be."""
        piece = os.read(0, _PIECE)
        *lines, self._begun = (self._begun + piece).split(b"\n")
        for line in lines:
            request = json.loads(line)
            if "arguments" in request:
                self._start(request)
            else:
                self._end(request["id"])
        return bool(piece)

    def _start(self, request: dict[str, Any]) -> None:
        def scan() -> int:
            prctl.die_with_parent()
            with open(request["said"], "wb") as said:
                os.dup2(said.fileno(), 2)
            return command.main(request["arguments"], worker=_judge)

        process = Fork(scan, stdin=self._nothing, stdout=self._nothing, stderr=self._nothing)
        self._scans[process.pid] = request["id"]

    def _end(self, id: Any) -> None:
        for process, each in self._scans.items():
            if each == id:
                os.killpg(process, signal.SIGKILL)

    def _reap(self) -> None:
        """Answer for the scans that have ended, and be rid of what they started."""
        while self._scans and (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)):
            # Before it is waited for, or its number might be another's already.
            os.killpg(ended.si_pid, signal.SIGKILL)
            _, status = os.waitpid(ended.si_pid, 0)
            answer = {"id": self._scans.pop(ended.si_pid), "status": os.waitstatus_to_exitcode(status)}
            os.write(1, json.dumps(answer).encode() + b"\n")


def _judge(options: str) -> None:
    """Be the worker."""
    sys.argv[1:] = [options]
    worker.main()


if __name__ == "__main__":
    Service().run()
