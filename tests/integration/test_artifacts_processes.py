import multiprocessing
from pathlib import Path

import pytest

from extractor_apis.scan import ScanReport
from extractor_artifacts import lock, unpack
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.store import ArtifactStore
from support import canonical
from support.dying import die_at_each_touch

pytestmark = pytest.mark.integration


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return canonical.make_archive(tmp_path / "canonical.zip")


@pytest.fixture
def report(archive: Path) -> ScanReport:
    return canonical.make_report(archive)


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store", patience=30)


def contents(tree: Path) -> dict[str, bytes]:
    return {str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def clear(root: Path) -> None:
    if root.exists():
        unpack.remove(root)


def test_death_at_any_step_of_a_write_leaves_no_half_artifact(
    tmp_path: Path, store: ArtifactStore, archive: Path, report: ScanReport
) -> None:
    root, digest = tmp_path / "store", str(report.artifact_digest)
    deaths = 0

    for touch in die_at_each_touch(root, store.put, archive, report):
        try:
            assert contents(store.get(digest).tree) == canonical.FILES
        except ArtifactError as err:
            assert "store its archive first" in str(err)
        assert contents(store.put(archive, report).tree) == canonical.FILES
        assert not list(root.rglob(".*"))
        clear(root)
        deaths = touch

    assert deaths > 15


def test_processes_that_store_the_same_artifact_at_once_all_succeed(
    store: ArtifactStore, archive: Path, report: ScanReport
) -> None:
    context = multiprocessing.get_context("forkserver")
    writers = [context.Process(target=store.put, args=(archive, report)) for _ in range(4)]

    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)

    assert [writer.exitcode for writer in writers] == [0, 0, 0, 0]
    assert contents(store.get(str(report.artifact_digest)).tree) == canonical.FILES


def test_writer_that_waits_too_long_says_for_what(tmp_path: Path, archive: Path, report: ScanReport) -> None:
    root = tmp_path / "store"
    root.mkdir()

    with (
        lock.exclusive(root / "lock", seconds=1),
        pytest.raises(ArtifactError, match=f"{root} has been in use by another process for 0.1 s"),
    ):
        ArtifactStore(root, patience=0.1).put(archive, report)
