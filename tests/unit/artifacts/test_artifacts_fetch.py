import os
from pathlib import Path

import pytest

from extractor_artifacts import digest
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.fetch import Fetched, fetch

CONTENT = b"an archive"
OTHER = "sha256:" + "0" * 64


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "my archive.zip"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """A target in a folder that does not exist yet."""
    return tmp_path / "fetched" / "archive.zip"


@pytest.mark.parametrize("spell", [str, Path.as_uri], ids=["path", "file URL"])
def test_archive_on_disk_is_copied_and_named_by_its_digest(archive: Path, into: Path, spell) -> None:  # type: ignore[no-untyped-def]
    fetched = fetch(spell(archive), into, digest=digest.of_file(archive))

    assert fetched == Fetched(digest.of_file(archive), len(CONTENT))
    assert into.read_bytes() == CONTENT
    assert list(into.parent.iterdir()) == [into]


def test_archive_of_exactly_the_limit_is_accepted(archive: Path, into: Path) -> None:
    assert fetch(str(archive), into, max_bytes=len(CONTENT)).size == len(CONTENT)


@pytest.mark.parametrize(
    ("location", "options", "want"),
    [
        pytest.param("{}", {"digest": OTHER}, "mismatch for {}: expected {other}, got {found}", id="digest"),
        pytest.param("{}", {"max_bytes": 9}, "{} is larger than 9 bytes: leave out", id="too big"),
        pytest.param("{}.not", {}, "cannot read {}.not: No such file or directory", id="missing"),
        pytest.param("/", {}, "cannot read /: Is a directory; check the path", id="folder"),
        pytest.param("file://host/a", {}, "cannot fetch file://host/a: a file:// URL names", id="far file"),
        pytest.param("ftp://me:pw@host/a?k", {}, "cannot fetch ftp://host/a: ftp:// is not", id="scheme"),
        pytest.param("http://host/a?k", {}, "refused to read http://host/a: without TLS", id="plain http"),
        pytest.param("https:///a", {}, "https:///a names no host", id="no host"),
        pytest.param("https://h:port/?k=v", {}, "https://h:port/ is no valid URL", id="no URL"),
        pytest.param("https://h:99999999/?k=v", {}, "https://h:99999999/ is no valid URL", id="no port"),
        pytest.param("{}", {"digest": "latest"}, "'latest' is no digest", id="no digest"),
    ],
)
def test_failure_is_a_sentence_and_leaves_nothing(
    archive: Path,
    into: Path,
    location: str,
    options: dict[str, object],
    want: str,
) -> None:
    with pytest.raises(ArtifactError) as caught:
        fetch(location.format(archive), into, **options)  # type: ignore[arg-type]

    assert want.format(archive, other=OTHER, found=digest.of_file(archive)) in str(caught.value)
    assert not into.parent.exists() or not list(into.parent.iterdir())


def test_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path, into: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(ArtifactError, match="pipe is no file"):
        fetch(str(tmp_path / "pipe"), into)


def test_target_that_cannot_be_written_is_named(archive: Path) -> None:
    into = archive / "below" / "a.zip"

    with pytest.raises(ArtifactError, match=f"cannot write {into}: Not a directory"):
        fetch(str(archive), into)


def test_failure_keeps_the_file_that_was_there(archive: Path, tmp_path: Path) -> None:
    into = tmp_path / "old.zip"
    into.write_bytes(b"old")

    with pytest.raises(ArtifactError):
        fetch(str(archive), into, digest=OTHER)

    assert into.read_bytes() == b"old"
