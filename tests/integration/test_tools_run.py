"""What `run_tool` holds every tool to, with shell scripts in the tools' place."""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from extractor_runtime.sdk.tools import ToolError, ToolResult, binaries, run_tool

pytestmark = pytest.mark.integration

Install = Callable[[str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Give what puts a script in the place of sox."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv(binaries.FOLDER, str(folder))

    def write(script: str) -> None:
        tool = folder / "sox"
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)

    return write


def eventually_gone(pid: int) -> bool:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            # A zombie is gone, but for its entry.
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


def test_answer_is_code_and_both_outputs(install: Install) -> None:
    install("echo out; echo err >&2; exit 3")

    assert run_tool("sox", [], check=False) == ToolResult(3, b"out\n", b"err\n")


def test_arguments_are_never_a_shells(install: Install) -> None:
    install('printf "%s|" "$@"')

    assert run_tool("sox", ["a b", "$(id)", "; id", "*"]).stdout == b"a b|$(id)|; id|*|"


def test_failure_says_the_last_lines_and_no_more(install: Install) -> None:
    install("seq 1 100000 >&2; echo the cause >&2; exit 4")

    with pytest.raises(ToolError, match=r"^sox failed with code 4: 99999 / 100000 / the cause$") as raised:
        run_tool("sox", [])

    assert len(raised.value.stderr) == 64 * 1024


def test_input_and_output_larger_than_pipes_flow_at_once(install: Install) -> None:
    install("cat; cat >&2 /dev/null")
    given = os.urandom(3_000_000)

    assert run_tool("sox", [], input=given).stdout == given


def test_tool_that_reads_a_part_of_its_input_is_fine(install: Install) -> None:
    install("head -c 3")

    assert run_tool("sox", [], input=b"abc" * 1_000_000).stdout == b"abc"


def test_input_is_empty_unless_given(install: Install) -> None:
    install("cat")

    assert run_tool("sox", []).stdout == b""


def test_secrets_of_the_worker_are_not_handed_on(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "s3cret")
    monkeypatch.setenv("LD_PRELOAD_TEST", "evil.so")
    install("env")

    lines = run_tool("sox", []).stdout.decode().splitlines()

    names = {line.partition("=")[0] for line in lines} - {"PWD", "SHLVL", "_", "OLDPWD"}
    assert names <= {
        *("PATH", "HOME", "TMPDIR", "LANG", "MAGICK_CONFIGURE_PATH", "OMP_NUM_THREADS", "TZ"),
        *("CUDA_VISIBLE_DEVICES", "http_proxy", "https_proxy", "ftp_proxy", "all_proxy"),
    }


def test_home_is_empty_and_goes_with_the_tool(install: Install) -> None:
    install('ls -A "$HOME"; touch "$TMPDIR/left"; echo "$HOME"')

    [home] = run_tool("sox", []).stdout.decode().splitlines()

    assert not Path(home).exists()


def test_tool_that_takes_too_long_ends_with_all_it_started(install: Install, tmp_path: Path) -> None:
    install(f"sleep 60 & echo $! > {tmp_path}/child; wait")
    started = time.monotonic()

    with pytest.raises(ToolError, match=r"sox did not finish within 0.3 s and was ended"):
        run_tool("sox", [], timeout=0.3)

    assert time.monotonic() - started < 5
    assert eventually_gone(int((tmp_path / "child").read_text()))


def test_tool_that_prints_without_end_is_ended(install: Install) -> None:
    install("yes")

    with pytest.raises(ToolError, match="sox printed more than 1,000,000 bytes and was ended"):
        run_tool("sox", [], max_output=1_000_000)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_tool_ends_with_a_worker_that_is_killed(install: Install, tmp_path: Path) -> None:
    install(f"echo $$ > {tmp_path}/writing; mv {tmp_path}/writing {tmp_path}/pid; exec sleep 60")
    worker = multiprocessing.get_context("spawn").Process(target=run_tool, args=("sox", []))
    worker.start()
    while not (tmp_path / "pid").exists():
        assert worker.is_alive()
        time.sleep(0.01)

    os.kill(worker.pid or 0, signal.SIGKILL)
    worker.join(10)

    assert eventually_gone(int((tmp_path / "pid").read_text()))


def test_name_that_is_no_tool_lists_the_tools() -> None:
    with pytest.raises(ValueError, match=r"'bash' is not one of the tools: ffmpeg, .*, REDline, art-cmd"):
        run_tool("bash", ["-c", "id"])


@pytest.mark.parametrize(
    ("tool", "want"),
    [
        ("ffprobe", r"it comes with the Debian package ffmpeg \(apt-get install ffmpeg\)"),
        ("soxi", r"it comes with the Debian package sox \(apt-get install sox libsox-fmt-all\)"),
        ("REDline", r"the platform's operator gets it from RED and puts it into .* EXTRACTOR_TOOLS"),
    ],
)
def test_missing_tool_says_who_brings_it(tool: str, want: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(ToolError, match=f"^{tool} is not installed: {want}"):
        run_tool(tool, [])
