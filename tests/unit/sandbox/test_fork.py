"""A fork calls a function with what it is given, and with nothing else of the process that it was."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from extractor_sandbox.fork import Fork

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="forks are for Linux"),
    # Other tests may have left threads; the service that forks has none.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


def run(call: Callable[[], int | None], folder: Path, kept: tuple[int, ...] = ()) -> tuple[int, str]:
    """Give a fork's status, and what it wrote to standard output and error."""
    said = folder / "said"
    with (
        said.open("wb") as file,
        open(os.devnull, "rb") as nothing,
        Fork(call, stdin=nothing.fileno(), stdout=file.fileno(), stderr=file.fileno(), kept=kept) as fork,
    ):
        status = fork.wait()
    return status, said.read_text()


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def test_it_has_the_descriptors_that_it_was_given_and_no_others(tmp_path: Path) -> None:
    with (tmp_path / "kept").open("wb") as kept, (tmp_path / "other").open("wb"):

        def look() -> None:
            print(
                [number for number in range(4096) if is_open(number)],
                os.getcwd(),
                os.getpgrp() == os.getpid(),
            )

        assert run(look, tmp_path, (kept.fileno(),)) == (0, f"[0, 1, 2, {kept.fileno()}] / True\n")


@pytest.mark.parametrize(
    ("call", "want"),
    [
        pytest.param(lambda: None, 0, id="the end of the function is good"),
        pytest.param(lambda: 3, 3, id="the function gives a status"),
        pytest.param(lambda: sys.exit(4), 4, id="the function exits"),
        pytest.param(lambda: sys.exit("no"), 1, id="the function exits with a sentence"),
        pytest.param(lambda: os.kill(os.getpid(), 9), -9, id="it is killed"),
    ],
)
def test_its_status_says_how_it_ended(tmp_path: Path, call: Callable[[], int | None], want: int) -> None:
    assert run(call, tmp_path)[0] == want


def test_an_error_ends_it_with_a_traceback(tmp_path: Path) -> None:
    status, said = run(lambda: 1 // 0, tmp_path)

    assert (status, said.splitlines()[-1]) == (1, "ZeroDivisionError: integer division or modulo by zero")


def test_it_can_be_killed_with_its_group_at_once(tmp_path: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    fork = Fork(lambda: time.sleep(60), stdin=nothing, stdout=nothing, stderr=nothing)
    os.close(nothing)

    os.killpg(fork.pid, 9)

    assert fork.wait() == -9
