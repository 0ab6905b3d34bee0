"""What code in a hijacked worker would try; run by itself, as whoever starts it, it says what came of each.

Free, every attempt is made in a fork of its own, so that one that succeeds (an exec, a new namespace) does
not spoil the next. Confined, all are made in one process, because none does anything.
"""

import _thread
import ctypes
import errno
import fcntl
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from extractor_sandbox import confinement, jail, launcher, seccomp, syscalls

SECRET = "kept-from-archives"
MODES = ("free", "confined", "without landlock", "jailed")
_SECONDS = 30.0
_TESTS = str(Path(__file__).parents[1])
_NEW_NAMESPACES = {"mount": 0x00020000, "user": 0x10000000, "network": 0x40000000}


@dataclass(frozen=True)
class Place:
    """What there is to be had."""

    home: str
    """A folder of the user, with a file ``secret`` and a folder ``kept``."""
    file: int
    """A descriptor that the worker may write to."""
    port: int
    """Somebody listens there."""

    @property
    def secret(self) -> str:
        return f"{self.home}/secret"

    @property
    def new(self) -> str:
        return f"{self.home}/new"


Attempt = Callable[[Place], object]


def _read_parents_environment(place: Place) -> None:
    assert SECRET.encode() in Path(f"/proc/{os.getppid()}/environ").read_bytes()


def _read_memory(place: Place) -> None:
    wanted, got = ctypes.create_string_buffer(b"wanted"), ctypes.create_string_buffer(6)
    source, target = ((ctypes.c_uint64 * 2)(ctypes.addressof(each), 6) for each in (wanted, got))
    syscalls.call("process_vm_readv", os.getpid(), target, 1, source, 1, 0)
    assert got.raw == b"wanted"


def _fork(place: Place) -> None:
    if not (child := os.fork()):
        os._exit(0)
    os.waitpid(child, 0)


def _clone3(place: Place) -> None:
    arguments = (ctypes.c_uint64 * 8)(0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    if not (child := syscalls.call("clone3", arguments, ctypes.sizeof(arguments))):
        os._exit(0)
    os.waitpid(child, 0)


def _raise_a_limit(place: Place) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (8, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, hard))


def _open_many(place: Place) -> None:
    for _ in range(100):
        os.dup(place.file)


def _mount(place: Place) -> None:
    syscalls.call("unshare", _NEW_NAMESPACES["mount"])
    private = 1 << 18 | 1 << 14
    syscalls.call("mount", b"none", b"/", 0, private, 0)
    syscalls.call("mount", b"none", f"{place.home}/kept".encode(), b"tmpfs", 0, 0)


def _unshare(kind: str) -> Attempt:
    return lambda place: syscalls.call("unshare", _NEW_NAMESPACES[kind])


def _connect(place: Place) -> None:
    socket.create_connection(("127.0.0.1", place.port), timeout=5)


def _signal_by_descriptor(place: Place) -> None:
    signal.pidfd_send_signal(os.pidfd_open(os.getppid()), signal.SIGURG)


ATTEMPTS: dict[str, Attempt] = {
    "read a file of the home folder": lambda place: Path(place.secret).read_bytes(),
    "read the list of users": lambda place: Path("/etc/passwd").read_bytes(),
    "list the home folder": lambda place: os.listdir(place.home),
    "list the root": lambda place: os.listdir("/"),
    "read the memory of a process": lambda place: os.open("/proc/self/mem", os.O_RDONLY),
    "read the parent's environment": _read_parents_environment,
    "write a new file": lambda place: Path(place.new).write_bytes(b"x"),
    "write to a file": lambda place: os.open(place.secret, os.O_WRONLY | os.O_APPEND),
    "empty a file": lambda place: os.truncate(place.secret, 9),
    "make a folder": lambda place: os.mkdir(place.new + "-folder"),
    "make a link": lambda place: os.link(place.secret, place.new + "-link"),
    "make a symbolic link": lambda place: os.symlink("/", place.new + "-symlink"),
    "make a pipe with a name": lambda place: os.mkfifo(place.new + "-pipe"),
    "make a device": lambda place: os.mknod(place.new + "-null", 0o20600, os.makedev(1, 3)),
    "rename a file": lambda place: os.rename(place.secret, place.secret),
    "remove a file": lambda place: os.unlink(f"{place.home}/kept/old"),
    "change a mode": lambda place: os.chmod(place.secret, 0o644),
    "change times": lambda place: os.utime(place.secret),
    "change the folder": lambda place: os.chdir("/"),
    "change the root": lambda place: os.chroot("/"),
    "open an internet socket": lambda place: socket.socket(),
    "open an internet socket, version 6": lambda place: socket.socket(socket.AF_INET6),
    "open a datagram socket": lambda place: socket.socket(type=socket.SOCK_DGRAM),
    "open a unix socket": lambda place: socket.socket(socket.AF_UNIX),
    "open a pair of sockets": lambda place: socket.socketpair(),
    "connect to this machine": _connect,
    "fork": _fork,
    "clone3": _clone3,
    "start a thread": lambda place: _thread.start_new_thread(str, ()),
    "start a program": lambda place: subprocess.run([sys.executable, "-I", "-c", ""], check=True),
    "spawn a program": lambda place: os.posix_spawn("/bin/true", ["true"], {}),
    "become a program": lambda place: os.execv("/bin/true", ["true"]),
    "signal the parent": lambda place: os.kill(os.getppid(), signal.SIGURG),
    "signal the parent by a descriptor": _signal_by_descriptor,
    "own the signals of a descriptor": lambda place: fcntl.fcntl(place.file, fcntl.F_SETOWN, os.getpid()),
    "signal everybody": lambda place: os.kill(-1, 0),
    "be traced": lambda place: syscalls.call("ptrace", 0, 0, 0, 0),
    "read a process's memory": _read_memory,
    "ask for another's limits": lambda place: resource.prlimit(os.getppid(), resource.RLIMIT_CPU),
    "raise a limit": _raise_a_limit,
    "lower its priority": lambda place: os.nice(1),
    "take a gibibyte more": lambda place: bytearray(1 << 30),
    "write a huge file": lambda place: os.ftruncate(place.file, 1 << 30),
    "open many files": _open_many,
    "set up io_uring": lambda place: syscalls.call("io_uring_setup", 1, (ctypes.c_uint32 * 30)()),
    "read the keyring": lambda place: syscalls.call("keyctl", 0, -3, 1),
    "mount": _mount,
    "enter a new user namespace": _unshare("user"),
    "enter a new network namespace": _unshare("network"),
}
FOR_ROOT = {"make a device", "change the root", "mount", "enter a new network namespace"}
"""What an ordinary user cannot do anyway."""
FOR_THE_JAILED = {
    *("read the list of users", "read the memory of a process", "change the folder", "signal everybody"),
    "own the signals of a descriptor",
    *("open an internet socket", "open an internet socket, version 6", "open a datagram socket"),
    *("open a unix socket", "open a pair of sockets", "fork", "start a thread", "start a program"),
    *("spawn a program", "become a program", "raise a limit", "lower its priority"),
    *("take a gibibyte more", "write a huge file", "open many files"),
}
"""What code that is tried may do: with processes of its own, and in a network of its own."""


def main(mode: str, options: str) -> None:
    """Be the worker: make all attempts, and say what came of them."""
    given = json.loads(options)
    place = Place(given["home"], given["file"], given["port"])
    if mode in ("free", "jailed"):
        results = {name: _fork_and_try(attempt, place) for name, attempt in ATTEMPTS.items()}
    else:
        if mode == "without landlock":
            missing = {"landlock_create_ruleset": seccomp.refuse(errno.ENOSYS)}
            seccomp.install(seccomp.Filter(seccomp.ALLOW, missing))
        # Not everything that the tests can import is the worker's to read.
        sys.path.remove(_TESTS)
        confinement.confine(_SECONDS)
        results = {name: _try(attempt, place) for name, attempt in ATTEMPTS.items()}
    print(json.dumps(results), flush=True)
    os._exit(0)


def drive() -> dict[str, dict[str, str]]:
    """Start a worker in each mode, and gather what they say."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        return {mode: _ask(mode, Path(folder, mode), server.getsockname()[1]) for mode in MODES}


def _ask(mode: str, home: Path, port: int) -> dict[str, str]:
    (home / "kept").mkdir(parents=True)
    (home / "kept" / "old").touch()
    (home / "secret").write_text(SECRET)
    program = (
        "import sys; sys.path.append(sys.argv[1])\nfrom support import attempts; attempts.main(*sys.argv[2:])"
    )
    command = [sys.executable, "-I", "-c", program, _TESTS, mode]
    if mode == "jailed":
        own = home / "own"
        own.mkdir()
        held = jail.Jail((*jail.interpreter(), _TESTS), str(own), hidden=(str(Path.home()),))
        command = held.command(command)
    with (
        tempfile.TemporaryFile(dir=home) as file,
        open(os.devnull) as nothing,
        launcher.ask(
            command,
            {"home": str(home), "port": port},
            stdin=nothing.fileno(),
            files={"file": file.fileno()},
            folder=home,
            seconds=_SECONDS,
        ) as question,
    ):
        end, answer = question.answer()
    return dict(json.loads(answer)) if end is None else {"": end}


def _fork_and_try(attempt: Attempt, place: Place) -> str:
    reading, writing = os.pipe()
    parent = os.getppid()
    if not (child := os.fork()):
        # An attempt at the parent is one at the launcher's process, as it is for the worker.
        os.getppid = lambda: parent
        os.write(writing, b"it failed halfway")
        os.write(writing, b"\n" + _try(attempt, place).encode())
        os._exit(0)
    os.close(writing)
    with open(reading) as said:
        os.waitpid(child, 0)
        # What became another program said no more.
        return "done" if (lines := said.read().splitlines())[-1] == "it failed halfway" else lines[-1]


def _try(attempt: Attempt, place: Place) -> str:
    try:
        attempt(place)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "error")
    except (MemoryError, RuntimeError, AssertionError) as error:
        return type(error).__name__
    return "done"


if __name__ == "__main__":
    print(json.dumps(drive()))
