"""System calls by name: their numbers on the machines that we know, and those made that Python lacks."""

import ctypes
import os
from typing import Any

_X86, _ARM = "x86_64", "aarch64"
_MACHINE = os.uname().machine
_AUDIT_ARCHITECTURES = {_X86: 0xC000003E, _ARM: 0xC00000B7}

# Name, number on x86_64, number on aarch64 (-: it has none).
_TABLE = """
access 21 -              acct 163 89
add_key 248 217          adjtimex 159 171         bpf 321 280              brk 12 214
capset 126 91            chroot 161 51            clock_adjtime 305 266    clock_getres 229 114
clock_gettime 228 113    clock_nanosleep 230 115  clock_settime 227 112    clone 56 220
clone3 435 435           close 3 57               copy_file_range 326 285  delete_module 176 106
dup 32 23                dup2 33 -                dup3 292 24              exit 60 93
exit_group 231 94        faccessat 269 48         faccessat2 439 439       fadvise64 221 223
fallocate 285 47         fanotify_init 300 262    fcntl 72 25              fdatasync 75 83
finit_module 313 273     fsconfig 431 431         fsmount 432 432          fsopen 430 430
fspick 433 433           fstat 5 80               fsync 74 82              ftruncate 77 46
futex 202 98             getcwd 79 17             getdents64 217 61        getegid 108 177
geteuid 107 175          getgid 104 176           getpid 39 172            getppid 110 173
getrandom 318 278        getrusage 98 165         gettid 186 178           gettimeofday 96 169
getuid 102 174           init_module 175 105      io_uring_enter 426 426   io_uring_register 427 427
io_uring_setup 425 425   ioctl 16 29              ioperm 173 -             iopl 172 -
kcmp 312 272             kexec_file_load 320 294  kexec_load 246 104       keyctl 250 219
kill 62 129              landlock_add_rule 445 445                         landlock_create_ruleset 444 444
landlock_restrict_self 446 446                    lookup_dcookie 212 18    lseek 8 62
lstat 6 -                madvise 28 233           membarrier 324 283       mmap 9 222
mount 165 40             mount_setattr 442 442    move_mount 429 429       mprotect 10 226
mremap 25 216            munmap 11 215            name_to_handle_at 303 264
nanosleep 35 101         newfstatat 262 79        open 2 -                 open_by_handle_at 304 265
open_tree 428 428        openat 257 56            perf_event_open 298 241  pidfd_getfd 438 438
pivot_root 155 41        poll 7 -                 ppoll 271 73             prctl 157 167
pread64 17 67            preadv 295 69            preadv2 327 286          prlimit64 302 261
process_madvise 440 440  process_vm_readv 310 270 process_vm_writev 311 271 pselect6 270 72
ptrace 101 117           pwrite64 18 68           pwritev 296 70           pwritev2 328 287
quotactl 179 60          quotactl_fd 443 443      read 0 63                readahead 187 213
readlink 89 -            readlinkat 267 78        readv 19 65              reboot 169 142
request_key 249 218      restart_syscall 219 128  rseq 334 293             rt_sigaction 13 134
rt_sigprocmask 14 135    rt_sigreturn 15 139      sched_getaffinity 204 123
sched_yield 24 124       seccomp 317 277          select 23 -              sendfile 40 71
set_robust_list 273 99   setdomainname 171 162    sethostname 170 161      setns 308 268
settimeofday 164 170     sigaltstack 131 132      socket 41 198            stat 4 -
statx 332 291            swapoff 168 225          swapon 167 224           sysinfo 99 179
syslog 103 116           tgkill 234 131           time 201 -               umount2 166 39
uname 63 160             unshare 272 97           userfaultfd 323 282      vhangup 153 58
wait4 61 260             waitid 247 95            write 1 64               writev 20 66
"""
_COLUMN = {_X86: 1, _ARM: 2}.get(_MACHINE)


def number(name: str) -> int | None:
    """Give a call's number on this machine; None where it has no such call."""
    return _NUMBERS[name]


def audit_architecture() -> int | None:
    """Give the architecture as filters see it; None for a machine that we do not know."""
    return _AUDIT_ARCHITECTURES.get(_MACHINE)


def call(name: str, *arguments: Any) -> int:
    """Make a system call, each argument a number or a ctypes pointer. Raises OSError."""
    wanted = number(name)
    if wanted is None:
        raise OSError(f"{name} is not known on {_MACHINE}")
    values = (ctypes.c_long(each) if isinstance(each, int) else each for each in arguments)
    result: int = _libc().syscall(ctypes.c_long(wanted), *values)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result


def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc


def _read_table() -> dict[str, int | None]:
    words = iter(_TABLE.split())
    rows = zip(words, words, words, strict=True)
    return {row[0]: int(row[_COLUMN]) if _COLUMN and row[_COLUMN] != "-" else None for row in rows}


_NUMBERS = _read_table()
