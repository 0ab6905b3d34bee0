"""The watchdog ends the processes of a session, and no others."""

import subprocess
import sys
from pathlib import Path

import pytest

from extractor_runtime import watchdog
from support import endpoint

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's"),
]

HOLD = "import sys, time; file = open(sys.argv[1], sys.argv[2]); print(flush=True); time.sleep(60)"


def hold(path: Path, mode: str) -> subprocess.Popen[str]:
    """Run a process that has a file open."""
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", HOLD, str(path), mode], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_writers_end_with_the_block_and_readers_do_not(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    folder.mkdir()
    (folder / "log").write_text("")
    with watchdog.guard(folder):
        writer, reader = hold(folder / "log", "a"), hold(folder / "log", "r")

    with writer, reader:
        assert writer.wait(timeout=5) == -9
        assert endpoint.is_alive(reader.pid)
        reader.kill()
    assert not folder.exists()


def test_writers_end_with_a_driver_that_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    folder.mkdir()
    program = (
        "import pathlib, sys, time; from extractor_runtime import watchdog\n"
        "with watchdog.guard(pathlib.Path(sys.argv[1])): print(flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        driver.stdout.readline()
        with hold(folder / "log", "a") as writer:
            driver.kill()

            assert writer.wait(timeout=5) == -9
    assert endpoint.eventually(lambda: not folder.exists(), seconds=5)
