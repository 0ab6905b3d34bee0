"""Stores and what the operating system does to processes: kills, limits, full disks."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from extractor_apis.naming import FeatureURI
from extractor_stores import Store, StoreBusy, StoreError, Thresholds, search
from support.children import fail_at_file_size_limit
from support.stores import run_in, vector_of

pytestmark = pytest.mark.integration

_RANDOM = random.Random(0)
SMALL = {"a": "one"}
# Random, or the disk would hold it compressed.
LARGE = {str(number): " ".join(_RANDOM.randbytes(4000).hex() for _ in range(5)) for number in range(200)}


def _missing(reason: str) -> None:
    pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        _missing("only root mounts a small disk; the file size limit is tested all the same")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", tmp_path], capture_output=True
    )
    if mounted.returncode:
        _missing("this container may not mount a small disk; the file size limit is tested all the same")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def words(root: Path) -> list[str]:
    with Store.open(root, create=False) as store:
        return [hit.document["word"] for hit in search(store, FeatureURI("embedder"), vector_of("one"))]


def test_full_disk_is_reported_and_what_is_published_still_answers(small_disk: Path) -> None:
    run_in(small_disk / "store", None, SMALL)

    with pytest.raises(StoreError, match=r"no space left on the disk of .*nothing published is lost"):
        run_in(small_disk / "store", None, {**SMALL, **LARGE}, thresholds=Thresholds(rows=100))

    assert words(small_disk / "store") == ["one"]


def test_run_goes_on_once_there_is_space_again(
    small_disk: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run_in(small_disk / "store", None, SMALL)
    with pytest.raises(StoreError, match="no space left"):
        run_in(small_disk / "store", None, {**SMALL, **LARGE}, thresholds=Thresholds(rows=100))
    larger = tmp_path_factory.mktemp("larger") / "store"
    shutil.copytree(small_disk / "store", larger)

    record = run_in(larger, None, {**SMALL, **LARGE})

    assert record.documents == 1 + 5 * len(LARGE)


def test_file_size_limit_is_reported_and_what_is_published_still_answers(tmp_path: Path) -> None:
    run_in(tmp_path, None, SMALL)

    fail_at_file_size_limit(tmp_path, {**SMALL, **LARGE}, limit=100_000)

    assert words(tmp_path) == ["one"]


def test_store_locked_by_another_process_is_busy_until_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreBusy, match=rf"written by run other \(process {holder.pid} on .+, since 20"):
            run_in(tmp_path, None, SMALL)

        holder.kill()
        holder.wait(10)
        run_in(tmp_path, None, SMALL)

    assert words(tmp_path) == ["one"]


HOLD = """
import sys, time
from pathlib import Path
from extractor_stores import Store

with Store.open(Path(sys.argv[1]), create=True).lock("books", "other"):
    print("held", flush=True)
    time.sleep(60)
"""
