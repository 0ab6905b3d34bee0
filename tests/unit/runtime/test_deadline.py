"""The thread that an author's code runs in."""

import contextlib
import threading
import time
from pathlib import Path

import pytest

from extractor_runtime import errors
from extractor_runtime.deadline import AuthorThread


def test_calls_are_made_in_one_thread_that_ends_when_it_is_closed(tmp_path: Path) -> None:
    with contextlib.closing(AuthorThread(tmp_path)) as author:
        first, second = (author.call(threading.current_thread, seconds=5, what="it") for _ in range(2))

    first.join(5)
    assert first is second
    assert not first.is_alive()


def test_code_that_takes_longer_is_given_up(tmp_path: Path) -> None:
    author = AuthorThread(tmp_path)

    with (
        contextlib.closing(author),
        pytest.raises(errors.Overdue, match=r"the step did not return within 0\.01 s"),
    ):
        author.call(time.sleep, 0.05, seconds=0.01, what="the step")


def test_a_time_out_of_the_codes_own_passes_through(tmp_path: Path) -> None:
    def fail() -> None:
        raise TimeoutError("of its own")

    with contextlib.closing(AuthorThread(tmp_path)) as author, pytest.raises(TimeoutError, match="its own"):
        author.call(fail, seconds=5, what="it")
