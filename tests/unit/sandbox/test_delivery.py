"""What is hashed is what is delivered: nothing is hashed early that somebody could still write."""

import hashlib
import mmap
import os
import sys
from pathlib import Path

import pytest

from extractor_sandbox import delivery


class Running:
    """A worker that goes on for some looks."""

    deadline = float("inf")

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def is_over_within(self, seconds: float) -> bool:
        self.looks -= 1
        return self.looks < 0


def test_a_file_that_nobody_writes_any_more_is_hashed_early(tmp_path: Path) -> None:
    with delivery.reserve(tmp_path / "out") as reserved:
        os.write(reserved.writer, b"content")
        reserved.hand_over()
        running = Running(5)

        reserved.hash_early(running)  # type: ignore[arg-type]

        # Elsewhere there are no leases, and it waits for the end.
        assert running.looks == (4 if sys.platform == "linux" else -1)
        assert reserved.deliver(tmp_path / "out") == f"sha256:{hashlib.sha256(b'content').hexdigest()}"
    assert (tmp_path / "out").read_bytes() == b"content"


@pytest.mark.parametrize("keeps", ["descriptor", "mapping"])
def test_a_file_that_is_written_after_a_look_is_hashed_at_the_end(tmp_path: Path, keeps: str) -> None:
    with delivery.reserve(tmp_path / "out") as reserved:
        os.write(reserved.writer, b"content")
        copy = os.dup(reserved.writer)
        mapped = mmap.mmap(copy, 7)
        if keeps == "mapping":
            os.close(copy)
        reserved.hand_over()
        reserved.hash_early(Running(3))  # type: ignore[arg-type]
        mapped[:7] = b"CONTENT"
        mapped.close()
        if keeps == "descriptor":
            os.close(copy)

        digest = reserved.deliver(tmp_path / "out")

    assert digest == f"sha256:{hashlib.sha256((tmp_path / 'out').read_bytes()).hexdigest()}"
    assert (tmp_path / "out").read_bytes() == b"CONTENT"


def test_nothing_is_left_of_what_is_not_delivered(tmp_path: Path) -> None:
    with delivery.reserve(tmp_path / "out") as reserved:
        os.write(reserved.writer, b"content")

    assert list(tmp_path.iterdir()) == []
