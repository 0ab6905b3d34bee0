"""Processes that judge code beside the worker, one for each further core.

They are forked before anything of the archive is touched, are confined like the worker, and wait. Then all of
them, the worker too, take files from one pipe until it is empty: whoever is free takes the next. What a
member found lies in memory of its own, and is read when the member has ended well; one that has not ends the
scan.
"""

import json
import os
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from extractor_sandbox.extent import Extent
from extractor_sandbox.imports import Imports
from extractor_sandbox.verdict import FileVerdict, decode, encode, judge_file

_TICKET = struct.Struct("<I")
_RESULT_BYTES = 64 << 20
_END = b"end"

Files = Sequence[tuple[str, Extent]]


class CrewError(Exception):
    """A member died, so that nobody knows about the file that it read."""


@dataclass(frozen=True)
class _Member:
    process: int
    results: int
    """The descriptor of its memory: lines of JSON."""


@dataclass
class Crew:
    """Judges files on as many cores as there are processes."""

    tickets: tuple[int, int] = (-1, -1)
    """The pipe, its end for reading first."""
    job: int = -1
    """Memory in which the members find what the tickets stand for."""
    members: list[_Member] = field(default_factory=list)
    """None where the worker is alone."""

    def judge(self, files: Files, imports: Imports, reading: Callable[[str], None]) -> list[FileVerdict]:
        """Judge all files, in their order. Raises CrewError if a member did not get to the end."""
        if not self.members:
            return [_judge(each, imports, reading) for each in files]
        self._publish(files, imports)
        found = {number: _judge(files[number], imports, reading) for number in _take(self.tickets[0])}
        for member in self.members:
            found.update(_collect(member, files, reading))
        if len(found) < len(files):
            raise CrewError("files were left over")
        return [found[number] for number in range(len(files))]

    def _publish(self, files: Files, imports: Imports) -> None:
        job = {
            "files": [(path, content.fd, content.start, content.size) for path, content in files],
            "imports": (sorted(imports.modules), imports.top_folder, sorted(imports.dependencies)),
        }
        with open(self.job, "wb", closefd=False) as file:
            file.write(json.dumps(job).encode())
        # The largest first, so that nobody is left with one at the end. A pipe holds more than all tickets.
        order = sorted(range(len(files)), key=lambda number: -files[number][1].size)
        os.write(self.tickets[1], b"".join(map(_TICKET.pack, order)))
        os.close(self.tickets[1])


def muster(members: int, confine: Callable[[], object], closed: Sequence[int]) -> Crew:
    """Fork members, which confine themselves, close what is not theirs, and wait for work.

    In a member it never returns. Nothing of the archive may have been touched yet.
    """
    if members == 0 or sys.platform != "linux":
        return Crew()
    crew = Crew(os.pipe(), os.memfd_create("job"))
    for number in range(members):
        results = os.memfd_create(f"results {number}")
        process = os.fork()
        if process == 0:
            _serve(crew, results, confine, closed)
        crew.members.append(_Member(process, results))
    return crew


def _serve(crew: Crew, results: int, confine: Callable[[], object], closed: Sequence[int]) -> None:
    """Do a member's work, and end the process."""
    status = 1
    try:
        for descriptor in (crew.tickets[1], *closed):
            os.close(descriptor)
        confine()
        _work(crew.tickets[0], crew.job, results)
        status = 0
    except BaseException as error:
        print(f"{type(error).__name__} in a member of the crew: {error}", file=sys.stderr, flush=True)
    finally:
        # Nothing of the worker's own ending may run here.
        os._exit(status)


def _work(tickets: int, job: int, results: int) -> None:
    files: Files = ()
    imports = Imports(frozenset())
    with open(results, "wb", closefd=False) as said:

        def say(line: Any) -> None:
            said.write(json.dumps(line).encode() + b"\n")
            said.flush()

        for number in _take(tickets):
            if not files:
                files, imports = _read_job(job)
            path, content = files[number]
            say(number)
            say(encode(judge_file(path, content, imports)))
        said.write(_END + b"\n")


def _read_job(job: int) -> tuple[Files, Imports]:
    text = json.loads(Extent(job, 0, os.fstat(job).st_size).content())
    modules, top_folder, dependencies = text["imports"]
    files = [(path, Extent(fd, start, size)) for path, fd, start, size in text["files"]]
    return files, Imports(frozenset(modules), top_folder, frozenset(dependencies))


def _take(tickets: int) -> Iterator[int]:
    """Take tickets until there are none: whole ones, for a pipe's reader never meets another one's."""
    while ticket := os.read(tickets, _TICKET.size):
        yield _TICKET.unpack(ticket)[0]


def _judge(file: tuple[str, Extent], imports: Imports, reading: Callable[[str], None]) -> FileVerdict:
    path, content = file
    reading(path)
    return judge_file(path, content, imports)


def _collect(
    member: _Member, files: Files, reading: Callable[[str], None]
) -> Iterator[tuple[int, FileVerdict]]:
    """Wait for a member and read what it found."""
    # No tickets are left: it is at its last file, which is the one to name if it never comes back.
    _say_last(member, files, reading)
    _, status = os.waitpid(member.process, 0)
    code = os.waitstatus_to_exitcode(status)
    lines = _read_lines(member)
    if code != 0 or lines[-1:] != [_END]:
        _say_last(member, files, reading)
        how = f"was killed by signal {-code}" if code < 0 else f"failed with status {code}"
        raise CrewError(f"a process of the crew {how}")
    for number, verdict in zip(lines[:-1:2], lines[1:-1:2], strict=True):
        yield json.loads(number), decode(json.loads(verdict))


def _say_last(member: _Member, files: Files, reading: Callable[[str], None]) -> None:
    """Name the file that a member has begun, if it has not ended it."""
    lines = _read_lines(member)
    if lines and lines[-1].isdigit():
        path, _ = files[int(lines[-1])]
        reading(path)


def _read_lines(member: _Member) -> list[bytes]:
    size = os.fstat(member.results).st_size
    if size > _RESULT_BYTES:
        raise CrewError(f"a process found {size} bytes, more than {_RESULT_BYTES}")
    return Extent(member.results, 0, size).content().splitlines()
