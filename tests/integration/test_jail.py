"""What the jail of `extractor test` does where a machine cannot do all of it."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from extractor_sandbox import launcher, orphans
from extractor_sandbox.jail import Jail, interpreter

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux confines a process this way"),
]
WITHOUT = """
import errno
from extractor_sandbox import jail, seccomp
seccomp.install(seccomp.Filter(seccomp.ALLOW, {name: seccomp.refuse(ERROR) for name in MISSING}))
jail.main()
"""
LOOK = "import os, sys; print(os.path.exists(sys.argv[1]))"


def run_without(
    calls: list[str], error: str, tmp_path: Path, *, network: bool
) -> subprocess.CompletedProcess[str]:
    """Look for a file from a jail on a machine that refuses some system calls."""
    own, kept = tmp_path / "own", tmp_path / "kept"
    own.mkdir()
    kept.touch()
    jail = Jail(interpreter(), str(own), network, hidden=(str(tmp_path),))
    python, _, _, _, *options = jail.command([sys.executable, "-I", "-c", LOOK, str(kept)])
    program = WITHOUT.replace("ERROR", f"errno.{error}").replace("MISSING", str(calls))
    return subprocess.run(
        [python, "-I", "-c", program, *options],
        env=jail.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_jail_shows_no_file_that_is_not_given(tmp_path: Path) -> None:
    assert run_without([], "EPERM", tmp_path, network=False).stdout == "False\n"


def test_a_network_that_cannot_be_kept_out_ends_it(tmp_path: Path) -> None:
    done = run_without(["unshare"], "EPERM", tmp_path, network=False)

    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "error": "this machine cannot keep code off the network (unshare: Operation not permitted): "
        "allow user namespaces, or add --network if the extractor may use it"
    }


def test_a_network_that_is_given_needs_no_namespace_and_what_is_in_reach_then_is_told(tmp_path: Path) -> None:
    done = run_without(["unshare"], "EPERM", tmp_path, network=True)

    assert done.returncode == 0
    assert done.stderr.startswith("extractor: this machine has no namespaces: ")


def test_a_jail_has_shared_memory_of_its_own(tmp_path: Path) -> None:
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as kept:
        program = LOOK + f"; print(os.path.exists({kept.name!r})); open('/dev/shm/new', 'x')"
        jail = Jail(interpreter(), str(tmp_path))
        done = subprocess.run(
            jail.command([sys.executable, "-I", "-c", program, "/dev/shm"]),
            env=jail.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert (done.stderr, done.stdout) == ("", "True\nFalse\n")
    assert not os.path.exists("/dev/shm/new")


def test_the_current_folder_is_not_the_interpreters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # As `python -m` has it.
    monkeypatch.syspath_prepend(str(tmp_path))

    assert str(tmp_path) not in interpreter()
    assert set(sys.path) - {str(tmp_path)} <= set(interpreter())


LEAVING = """
import os, sys, time
if not os.fork():
    os.setsid()
    if not os.fork():
        print(os.readlink("/proc/self"), flush=True)
        os.closerange(0, 3)
        time.sleep(600)
    os._exit(0)
os.wait()
"""


def test_what_leaves_its_session_and_parent_in_a_jail_is_ended_all_the_same(tmp_path: Path) -> None:
    jail = Jail(interpreter(), str(tmp_path))
    reading, writing = os.pipe()
    with open(os.devnull) as nothing, open(reading) as said, open(writing, "wb") as answers:
        with (
            orphans.ended(),
            launcher.start(
                jail.command([sys.executable, "-I", "-c", LEAVING]),
                stdin=nothing.fileno(),
                stdout=answers.fileno(),
                stderr=None,
                environment=jail.environment(),
            ) as child,
        ):
            assert child.wait(time.monotonic() + 60) and child.describe_end() is None
            left = int(said.readline())
            assert os.path.exists(f"/proc/{left}")

        assert not os.path.exists(f"/proc/{left}")


def test_a_kernel_without_landlock_is_told(tmp_path: Path) -> None:
    done = run_without(["landlock_create_ruleset"], "ENOSYS", tmp_path, network=False)

    assert done.stderr.startswith("extractor: this kernel has no Landlock: ")
    # What can be covered is covered all the same.
    assert done.stdout == "False\n"


def test_a_kernel_without_seccomp_ends_it(tmp_path: Path) -> None:
    done = run_without(["seccomp"], "ENOSYS", tmp_path, network=True)

    assert (done.returncode, "system calls cannot be filtered" in done.stdout) == (1, True)


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "RAY_ADDRESS", "HTTPS_PROXY"])
def test_variables_stay_with_the_user(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "kept")
    monkeypatch.setenv("LANG", "C.UTF-8")

    environment = Jail((), "/somewhere").environment({"GIVEN": "1"})

    assert environment == environment | {"LANG": "C.UTF-8", "HOME": "/somewhere", "GIVEN": "1"}
    assert name not in environment and "kept" not in environment.values()
    assert set(environment) - {"HOME", "TMPDIR", "GIVEN"} <= set(os.environ)


def test_tools_start_in_a_jail(tmp_path: Path) -> None:
    # As `run_tool` starts them.
    leash = ["setpriv", "--pdeathsig", "KILL", "--no-new-privs", "--", "true"]
    jail = Jail(interpreter(), str(tmp_path))

    done = subprocess.run(
        jail.command(leash), env=jail.environment(), capture_output=True, timeout=60, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")
