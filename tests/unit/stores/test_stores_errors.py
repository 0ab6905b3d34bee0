import errno
from pathlib import Path

import pytest

from extractor_stores import Store, StoreError
from extractor_stores.errors import disk_errors_reported

PASSWORD = "p@ss/wörd"


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(OSError(errno.ENOSPC, "No space left on device"), id="from Python"),
        pytest.param(OSError(errno.EDQUOT, "Disk quota exceeded"), id="a quota"),
        pytest.param(RuntimeError("lance error: IO (os error 28), x.rs:1"), id="from LanceDB"),
    ],
)
def test_full_disk_is_one_sentence_that_says_what_to_do(error: Exception) -> None:
    with (
        pytest.raises(
            StoreError, match=r"^no space left on the disk of store .*free some and run again"
        ) as raised,
        disk_errors_reported(Path("store")),
    ):
        raise error

    assert raised.value.__cause__ is error


def test_refused_access_is_one_sentence_that_says_what_to_do() -> None:
    with (
        pytest.raises(StoreError, match=r"^store may not be written \(Permission denied\): change its mode"),
        disk_errors_reported(Path("store")),
    ):
        raise OSError(errno.EACCES, "Permission denied")


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(OSError(errno.EIO, "Input/output error"), id="another system error"),
        pytest.param(RuntimeError("lance error: not found (os error 2)"), id="another error of LanceDB"),
        pytest.param(StoreError("busy"), id="one of ours"),
        pytest.param(OSError("no number"), id="no number"),
    ],
)
def test_other_errors_stay_as_they_are(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, disk_errors_reported(Path("store")):
        raise error

    assert raised.value is error


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param(f"mongodb://user:{PASSWORD}@host/books", id="a password that is not encoded"),
        pytest.param(f"mongodb://user:secret@host:{PASSWORD}", id="a password for a port"),
        pytest.param(f"postgres://user:{PASSWORD}@host/books", id="another scheme"),
    ],
)
def test_uri_that_cannot_be_read_is_not_quoted(tmp_path: Path, uri: str) -> None:
    with pytest.raises(StoreError, match=r"^the MongoDB URI cannot be read: write") as raised:
        Store.open(tmp_path / "store", create=True, mongodb_uri=uri)

    assert not any(part in str(raised.value) for part in ("p@ss", "wörd", "secret"))
    assert (raised.value.__cause__, raised.value.__suppress_context__) == (None, True)
