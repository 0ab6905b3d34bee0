"""What is confined can read no file, open no socket, start no process and outlive no limit, whoever it is."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from extractor_apis.scan import ScanPolicy, ScanReport, Verdict
from extractor_sandbox import ScanError, scan
from support import archives, attempts, model_files, users
from support.attempts import ATTEMPTS, FOR_ROOT, FOR_THE_JAILED

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux confines a process this way"),
]
USERS = ["root", "an ordinary user"] if os.geteuid() == 0 else ["an ordinary user"]
WITHOUT = """
import errno
from extractor_sandbox import seccomp, worker
missing = {name: seccomp.refuse(errno.ENOSYS) for name in MISSING}
seccomp.install(seccomp.Filter(seccomp.ALLOW, missing))
worker.main()
"""
REFUSED = {"EPERM", "EACCES", "ENOSYS", "EFBIG", "EMFILE", "MemoryError", "RuntimeError"}


@pytest.fixture(scope="module", params=USERS)
def results(request: pytest.FixtureRequest) -> tuple[str, dict[str, dict[str, str]]]:
    """Who tried, and what came of it in each mode."""
    done = users.run_python(
        [attempts.__file__],
        ordinary=request.param != "root",
        environment={"PYTHONPATH": "tests", "SECRET": attempts.SECRET},
    )
    return request.param, json.loads(done.stdout)


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_what_is_free_to_others_is_refused_to_the_worker(
    results: tuple[str, dict[str, dict[str, str]]], attempt: str
) -> None:
    user, by_mode = results

    assert by_mode["free"][attempt] == "done" or (user != "root" and attempt in FOR_ROOT)
    assert {by_mode[mode][attempt] for mode in ("confined", "without landlock")} <= REFUSED


def test_code_that_is_tried_has_processes_and_a_network_of_its_own_only(
    results: tuple[str, dict[str, dict[str, str]]],
) -> None:
    _, by_mode = results

    assert {name for name, result in by_mode["jailed"].items() if result == "done"} == FOR_THE_JAILED


def scanned_without(calls: list[str], tmp_path: Path, policy: ScanPolicy | None = None) -> ScanReport:
    """Scan weights and code on a kernel that lacks system calls."""
    files = {"w/x.bin": model_files.STATE_DICT, "core.py": 'import subprocess\nx = "\\N{EM DASH}"\n'}
    (tmp_path / "uploaded.zip").write_bytes(archives.extractor(files))
    program = f"MISSING = {calls}\n{WITHOUT}"
    return scan(
        tmp_path / "uploaded.zip",
        into=tmp_path / "accepted.zip",
        policy=policy or ScanPolicy(),
        worker=[sys.executable, "-I", "-c", program],
    )


def test_a_kernel_without_landlock_is_a_warning_and_the_verdict_the_same(tmp_path: Path) -> None:
    full = scanned_without([], tmp_path)
    less = scanned_without(["landlock_create_ruleset"], tmp_path)

    assert (full.confinement[0][:9], full.confinement[1:]) == ("landlock ", ("seccomp", "rlimits"))
    assert less.confinement == ("seccomp", "rlimits")
    assert [each.rule for each in full.findings] == ["C04"]
    assert [(each.rule, each.severity) for each in less.findings] == [("C04", "reject"), ("X03", "warn")]
    assert less.findings[:1] == full.findings


def test_a_kernel_without_landlock_does_not_scan_where_it_is_required(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="the archive was not scanned: Landlock is required"):
        scanned_without(["landlock_create_ruleset"], tmp_path, ScanPolicy(require_landlock=True))


def test_a_kernel_without_seccomp_does_not_scan(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="a scan needs a filter of system calls, and there is none"):
        scanned_without(["seccomp"], tmp_path)


def test_a_worker_cannot_say_later_that_it_is_unconfined(tmp_path: Path) -> None:
    (tmp_path / "uploaded.zip").write_bytes(archives.extractor())
    program = """print('{"reading": "x.py"}\\n{"unconfined": "believe me"}'); exit(1)"""

    report = scan(
        tmp_path / "uploaded.zip",
        into=tmp_path / "accepted.zip",
        worker=[sys.executable, "-I", "-c", program],
    )

    assert (report.verdict, report.findings[0].rule) == (Verdict.REJECT, "X01")


LEAVING = """
import os, sys, time
if not os.fork():
    open(PID, "w").write(str(os.getpid()))
    time.sleep(600)
while not (os.path.exists(PID) and os.path.getsize(PID)):
    time.sleep(0.01)
"""
STAYING = """
import os, time
from extractor_sandbox import confinement
open(PID, "w").write(str(os.getpid()))
confinement.confine(60)
print("{}", flush=True)
time.sleep(600)
"""


def test_what_a_worker_started_before_it_was_confined_ends_with_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    (tmp_path / "uploaded.zip").write_bytes(archives.extractor())

    scan(
        tmp_path / "uploaded.zip",
        into=tmp_path / "accepted.zip",
        worker=[sys.executable, "-I", "-c", f"PID = {str(pid)!r}\n{LEAVING}"],
    )

    assert ends(int(pid.read_text()))


def test_a_worker_ends_with_the_process_that_asked_for_the_scan(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    (tmp_path / "uploaded.zip").write_bytes(archives.extractor())
    worker = [sys.executable, "-I", "-c", f"PID = {str(pid)!r}\n{STAYING}"]
    program = (
        "import sys; from pathlib import Path; from extractor_sandbox import scan\n"
        f"scan(Path('uploaded.zip'), into=Path('accepted.zip'), worker={worker!r})"
    )

    with subprocess.Popen([sys.executable, "-I", "-c", program], cwd=tmp_path) as asking:
        worker_pid = int(_first_text(pid))
        asking.send_signal(signal.SIGKILL)

    assert ends(worker_pid)


def ends(pid: int) -> bool:
    """Wait until a process is gone, or waits for whoever adopts it."""
    for _ in range(500):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    return False


def _first_text(path: Path) -> str:
    for _ in range(3000):
        if path.exists() and (text := path.read_text()):
            return text
        time.sleep(0.01)
    raise AssertionError(f"nobody wrote {path}")
