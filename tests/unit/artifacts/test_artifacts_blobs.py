import os
import time
from pathlib import Path

import pytest

from extractor_artifacts import digest
from extractor_artifacts.blobs import BlobStore

CONTENT = b"an archive"
DIGEST = digest.of_bytes(CONTENT)
GRACE = 3600.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def blobs(root: Path) -> BlobStore:
    return BlobStore(root)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "archive.zip"
    path.write_bytes(CONTENT)
    return path


def blob(root: Path) -> Path:
    return root / "sha256" / digest.digits(DIGEST)


def age(path: Path) -> None:
    long_ago = time.time() - 2 * GRACE
    os.utime(path, (long_ago, long_ago))


def test_blob_comes_back_by_its_digest(blobs: BlobStore, file: Path, tmp_path: Path) -> None:
    assert blobs.add(file) == DIGEST

    into = tmp_path / "new" / "copy.zip"
    assert blobs.take(DIGEST, into) == len(CONTENT)
    assert into.read_bytes() == CONTENT
    assert blobs.read(DIGEST, max_bytes=100) == CONTENT


def test_taking_a_blob_copies_nothing(blobs: BlobStore, file: Path, tmp_path: Path) -> None:
    blobs.add(file)
    blobs.take(DIGEST, tmp_path / "taken")

    assert (tmp_path / "taken").samefile(file)


def test_blob_may_be_taken_to_where_it_is(blobs: BlobStore, file: Path, root: Path) -> None:
    blobs.add(file)

    assert blobs.take(DIGEST, file) == len(CONTENT)
    assert sorted(path.name for path in file.parent.iterdir()) == ["archive.zip", "blobs"]
    assert list(blob(root).parent.iterdir()) == [blob(root)]


def test_blob_that_is_not_there_is_none(blobs: BlobStore, tmp_path: Path) -> None:
    assert blobs.take(DIGEST, tmp_path / "taken") is None
    assert blobs.read(DIGEST, max_bytes=100) is None
    assert list(tmp_path.iterdir()) == []


def test_damaged_blob_is_removed_and_not_given_out(blobs: BlobStore, file: Path, root: Path) -> None:
    blobs.add(file)
    blob(root).chmod(0o600)
    blob(root).write_bytes(b"other")

    assert blobs.take(DIGEST, file.with_name("taken")) is None
    assert not blob(root).exists()
    assert not file.with_name("taken").exists()


def test_blob_that_is_larger_than_it_may_be_is_not_read(blobs: BlobStore) -> None:
    blobs.add_bytes(CONTENT)

    assert blobs.read(DIGEST, max_bytes=len(CONTENT) - 1) is None


@pytest.mark.parametrize(
    ("is_old", "referenced", "want"),
    [
        pytest.param(True, [], [DIGEST], id="old and referred to by nobody"),
        pytest.param(True, [DIGEST], [], id="old and referred to"),
        pytest.param(False, [], [], id="new and not referred to yet"),
    ],
)
def test_sweep_removes_what_is_old_and_referred_to_by_nobody(
    blobs: BlobStore, root: Path, is_old: bool, referenced: list[str], want: list[str]
) -> None:
    blobs.add_bytes(CONTENT)
    if is_old:
        age(blob(root))

    assert blobs.sweep(referenced, older_than=GRACE) == want
    assert blob(root).exists() is (want == [])


@pytest.mark.parametrize("again", ["add", "add_bytes", "take", "read"])
def test_use_of_a_blob_starts_its_grace_again(
    blobs: BlobStore, root: Path, file: Path, tmp_path: Path, again: str
) -> None:
    blobs.add(file)
    age(blob(root))
    match again:
        case "add":
            blobs.add(file)
        case "add_bytes":
            blobs.add_bytes(CONTENT)
        case "take":
            blobs.take(DIGEST, tmp_path / "taken")
        case "read":
            blobs.read(DIGEST, max_bytes=100)

    assert blobs.sweep([], older_than=GRACE) == []


def test_sweep_removes_old_leftovers_of_the_dead(blobs: BlobStore, root: Path) -> None:
    blobs.add_bytes(CONTENT)
    leftover = blob(root).with_name(".leftover")
    leftover.touch()

    blobs.sweep([DIGEST], older_than=GRACE)
    assert leftover.exists()
    age(leftover)
    blobs.sweep([DIGEST], older_than=GRACE)
    assert not leftover.exists()


def test_sweep_of_no_store_makes_none(blobs: BlobStore, root: Path) -> None:
    assert blobs.sweep([], older_than=0) == []
    assert not root.exists()
