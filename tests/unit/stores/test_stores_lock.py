import errno
import fcntl
from pathlib import Path

import pytest

from extractor_stores import Store, StoreBusy, StoreError, lock


def test_second_run_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    refusal = pytest.raises(
        StoreBusy, match=r"the books is being written by run first \(process \d+ on .+, since 20.*wait"
    )

    with (
        lock.exclusive(tmp_path / "lock", "first", "the books"),
        refusal,
        lock.exclusive(tmp_path / "lock", "second", "the books"),
    ):
        pass


def test_lock_is_free_after_a_run_that_raised(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock.exclusive(tmp_path / "lock", "first", "it"):
        raise ZeroDivisionError

    with lock.exclusive(tmp_path / "lock", "second", "it"):
        assert '"second"' in (tmp_path / "lock").read_text()


def test_holder_that_has_not_said_who_it_is_is_another_run(tmp_path: Path) -> None:
    with lock.exclusive(tmp_path / "lock", "first", "it"):
        (tmp_path / "lock").write_text("")
        refusal = pytest.raises(StoreBusy, match="it is being written by another run")
        with refusal, lock.exclusive(tmp_path / "lock", "second", "it"):
            pass


def test_volume_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)

    refusal = pytest.raises(
        StoreError, match=r"cannot be locked \(No locks available\): a store needs a volume"
    )
    with refusal, lock.exclusive(tmp_path / "lock", "first", "it"):
        pass


def test_runs_of_two_collections_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with Store.open(tmp_path, create=True) as one, Store.open(tmp_path, create=True) as other:
        refusal = pytest.raises(StoreBusy, match=f"collection books in {tmp_path} is being written")
        with one.lock("books", "first"), other.lock("films", "second"):
            with refusal, other.lock("books", "third"):
                pass
            assert (one.run_id("books"), other.run_id("films")) == ("first", "second")


def test_only_the_collection_that_is_locked_may_be_written(tmp_path: Path) -> None:
    refusal = pytest.raises(RuntimeError, match="only the run that holds the lock of collection books may")
    with Store.open(tmp_path, create=True) as store:
        with refusal, store.lock("films", "mine"):
            store.run_id("books")
        with refusal:
            store.run_id("books")
