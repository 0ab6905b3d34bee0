"""Hold a program, and all that it starts, to what it takes to try an author's code.

Unlike the worker, which reads an archive, this is for code that runs: Ray, tools, models. It has files to
read and one folder to write, its own network unless it is given this machine's, and no way to look at other
processes. The process confines itself and becomes the program; what it gave up stays given up.
"""

import ctypes
import dataclasses
import errno
import glob
import json
import os
import resource
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from extractor_sandbox import landlock, namespaces, prctl, seccomp, syscalls
from extractor_sandbox.seccomp import Filter, Only

_FILE_BYTES = 64 << 30

_SYSTEM = """
/usr /bin /sbin /lib /lib32 /lib64 /opt /nix/store /proc /sys
/etc/alternatives /etc/ca-certificates /etc/fonts /etc/group /etc/gai.conf /etc/host.conf /etc/hosts
/etc/ImageMagick-6 /etc/ImageMagick-7 /etc/ld.so.cache /etc/ld.so.conf /etc/ld.so.conf.d /etc/localtime
/etc/machine-id /etc/mime.types /etc/nsswitch.conf /etc/os-release /etc/passwd /etc/pki/tls/certs
/etc/protocols /etc/resolv.conf /etc/services /etc/ssl/certs /etc/ssl/openssl.cnf /etc/timezone
"""
_DEVICES = "/dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/nvidia* /dev/dri /dev/kfd"
_SHARED_MEMORY = "/dev/shm"
_NAME_SERVERS = "/etc/resolv.conf"
"""Often a link to a file among the sockets."""
_WITH_SOCKETS = ("/run", "/tmp", "/var/tmp")
_PATHS = ("PYTHONPATH", "LD_LIBRARY_PATH")
_PASSED_ON = """
PATH LANG LANGUAGE LC_ALL LC_CTYPE TZ PYTHONPATH LD_LIBRARY_PATH
CUDA_VISIBLE_DEVICES NVIDIA_VISIBLE_DEVICES HIP_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES
OMP_NUM_THREADS MKL_NUM_THREADS OPENBLAS_NUM_THREADS TOKENIZERS_PARALLELISM
"""
"""Variables that say how to run, and hold no secret."""

_NOT_FOR_PROGRAMS = """
ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd
mount umount2 move_mount open_tree mount_setattr fsopen fsconfig fsmount fspick pivot_root chroot
unshare setns bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register
kexec_load kexec_file_load init_module finit_module delete_module reboot swapon swapoff
keyctl add_key request_key settimeofday clock_settime adjtimex clock_adjtime sethostname setdomainname
iopl ioperm quotactl quotactl_fd acct syslog open_by_handle_at name_to_handle_at fanotify_init
lookup_dcookie vhangup
"""
_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, 16)
"""16 is netlink, by which programs list network interfaces."""
_SOCKETS_IN_REACH = (
    "this machine has no namespaces: the extractor's code may talk to your agents and container engine"
)
_FILES_IN_REACH = "this kernel has no Landlock: the extractor's code may read what you may read"
_DAC_OVERRIDE = 1 << 1
_CAPABILITIES_3 = 0x20080522


class JailError(Exception):
    """A program cannot be held to what was asked for."""


@dataclass(frozen=True)
class Jail:
    """What a program may use beside the system's own files."""

    readable: tuple[str, ...]
    folder: str
    """Its home, and the only place that it may write to."""
    network: bool = False
    """Whether it has this machine's network, or one of its own."""
    hidden: tuple[str, ...] = ()
    """Folders of which it should not even see what is there."""

    def command(self, command: Sequence[str]) -> list[str]:
        """Make the command that runs one in the jail.

        It leaves a file in the folder: what may be read can be more than fits an argument.
        """
        options = Path(self.folder, "jail.json")
        options.write_text(json.dumps(dataclasses.asdict(self)))
        return [sys.executable, "-I", "-m", "extractor_sandbox.jail", str(options), *command]

    def environment(self, more: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
        """Make the program's environment: how to run, where its home is, and more if it is given."""
        passed_on = {name: os.environ[name] for name in _PASSED_ON.split() if name in os.environ}
        return passed_on | {"HOME": self.folder, "TMPDIR": self.folder} | dict(more)


def interpreter() -> tuple[str, ...]:
    """Name the folders of this Python, and of what it imports and is linked with."""
    # `python -m` puts the current folder first, which is the user's and may hold anything.
    installed = [path for path in sys.path if path != os.getcwd()]
    named = [path for name in _PATHS for path in os.environ.get(name, "").split(os.pathsep)]
    return tuple(dict.fromkeys(filter(None, (sys.prefix, sys.base_prefix, *installed, *named))))


def enter(jail: Jail) -> str | None:
    """Give up everything else, for good; say what this machine could not do, if anything.

    Raises JailError where the network cannot be kept out, or system calls cannot be filtered.
    """
    if sys.platform != "linux":
        if not jail.network:
            raise JailError(
                f"{sys.platform} cannot keep code off the network: add --network if the extractor may use it"
            )
        return f"{sys.platform} cannot confine an extractor: its code runs with your rights"
    in_reach = _separate(jail)
    _drop_capabilities()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = _FILE_BYTES if hard == resource.RLIM_INFINITY else min(hard, _FILE_BYTES)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    prctl.die_with_parent()
    abi = landlock.abi()
    if abi:
        landlock.restrict(abi, _grants(jail, abi), tcp=True)
    try:
        seccomp.install(_filter())
    except OSError as err:
        raise JailError(f"system calls cannot be filtered on this machine: {err.strerror}") from err
    return "; ".join(filter(None, (in_reach, None if abi else _FILES_IN_REACH))) or None


def _separate(jail: Jail) -> str | None:
    """Leave the machine's network, and the folders that others write to; say what could not be had."""
    try:
        namespaces.enter(namespaces.NEW_MOUNTS | (0 if jail.network else namespaces.NEW_NETWORK))
        if not jail.network:
            namespaces.start_loopback()
        covered = (*_WITH_SOCKETS, _SHARED_MEMORY, *jail.hidden)
        namespaces.cover(covered, (jail.folder, *jail.readable, _NAME_SERVERS))
    except OSError as err:
        if jail.network:
            return _SOCKETS_IN_REACH
        raise JailError(
            f"this machine cannot keep code off the network ({err.strerror}): allow user namespaces, or add "
            "--network if the extractor may use it"
        ) from err
    return None


def _grants(jail: Jail, abi: int) -> list[tuple[str, int]]:
    everything = landlock.all_rights(abi) & ~landlock.MAKE_DEVICES
    readable = landlock.READ | landlock.EXECUTE
    device = landlock.READ | landlock.WRITE_FILE | landlock.IOCTL_DEVICE
    return [
        *((path, readable) for path in (*_SYSTEM.split(), *jail.readable)),
        *((path, device) for pattern in _DEVICES.split() for path in glob.glob(pattern)),
        (_SHARED_MEMORY, everything),
        (jail.folder, everything),
    ]


def _drop_capabilities() -> None:
    """Leave root with nothing but its way past file modes: which files those are is Landlock's to say."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_3, 0)
    kept = _DAC_OVERRIDE if os.geteuid() == 0 else 0
    # Effective, permitted, inheritable; then the upper halves.
    syscalls.call("capset", header, (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0))


def _filter() -> Filter:
    refused = dict.fromkeys(_NOT_FOR_PROGRAMS.split(), seccomp.refuse())
    return Filter(
        default=seccomp.ALLOW,
        # Its flags are in memory, where no filter looks: the C library takes `clone` instead.
        calls=refused | {"clone3": seccomp.refuse(errno.ENOSYS)},
        only=(
            Only("clone", 0, (0,), mask=namespaces.ALL),
            Only("socket", 0, _FAMILIES),
            # A process's own limits: with no time left, any other of the user's would be killed.
            Only("prlimit64", 0, (0,)),
            # TIOCSTI and TIOCLINUX type into the user's terminal.
            Only("ioctl", 1, (0x5412, 0x541C), refused=True),
        ),
    )


def main() -> None:
    """Enter the jail and become the command."""
    options, *command = sys.argv[1:]
    try:
        lacking = enter(Jail(**json.loads(Path(options).read_text())))
    except (JailError, OSError) as error:
        # The line by which the command itself would say that it failed.
        print(json.dumps({"error": str(error)}), flush=True)
        sys.exit(1)
    if lacking:
        print(f"extractor: {lacking}", file=sys.stderr, flush=True)
    os.execvpe(command[0], command, os.environ)


if __name__ == "__main__":
    main()
