from pathlib import Path

import pytest

from extractor_stores import Store, StoreBusy, lock


def test_second_run_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    refusal = pytest.raises(StoreBusy, match=r"is being written by run first \(process \d+, since 20.*wait")

    with lock.exclusive(tmp_path / "lock", "first"), refusal, lock.exclusive(tmp_path / "lock", "second"):
        pass


def test_lock_is_free_after_a_run_that_raised(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock.exclusive(tmp_path / "lock", "first"):
        raise ZeroDivisionError

    with lock.exclusive(tmp_path / "lock", "second"):
        assert '"second"' in (tmp_path / "lock").read_text()


def test_holder_that_has_not_said_who_it_is_is_another_run(tmp_path: Path) -> None:
    with lock.exclusive(tmp_path / "lock", "first"):
        (tmp_path / "lock").write_text("")
        refusal = pytest.raises(StoreBusy, match="is being written by another run")
        with refusal, lock.exclusive(tmp_path / "lock", "second"):
            pass


def test_run_id_is_that_of_the_lock(tmp_path: Path) -> None:
    with Store.open(tmp_path, create=True) as store:
        with store.lock("mine"):
            assert store.run_id == "mine"
        with pytest.raises(RuntimeError, match="only the run that holds the store's lock may write"):
            _ = store.run_id
