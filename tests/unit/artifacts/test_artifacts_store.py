import os
import zipfile
from pathlib import Path

import pytest

from extractor_apis.scan import ScanReport, Verdict
from extractor_artifacts import unpack
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.store import Artifact, ArtifactStore
from support import canonical


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return canonical.make_archive(tmp_path / "canonical.zip")


@pytest.fixture
def report(archive: Path) -> ScanReport:
    return canonical.make_report(archive)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


def contents(tree: Path) -> dict[str, bytes]:
    return {str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def stamps(*roots: Path) -> dict[Path, tuple[int, int]]:
    """Tell of every entry which inode it is and when it was written."""
    entries = [entry for root in roots for entry in (root, *root.rglob("*"))]
    return {entry: (entry.stat().st_ino, entry.stat().st_mtime_ns) for entry in entries}


def test_stored_artifact_is_the_archive_unpacked(root: Path, archive: Path, report: ScanReport) -> None:
    artifact = ArtifactStore(root).put(archive, report)

    assert artifact.report == report
    assert contents(artifact.tree) == canonical.FILES


def test_tree_is_read_only(root: Path, archive: Path, report: ScanReport) -> None:
    tree = ArtifactStore(root).put(archive, report).tree

    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in [tree, *tree.rglob("*")]}

    assert modes == {True: 0o555, False: 0o444}


def test_second_write_changes_neither_archive_nor_tree(root: Path, archive: Path, report: ScanReport) -> None:
    store = ArtifactStore(root)
    tree = store.put(archive, report).tree
    before = stamps(tree, root / "blobs/sha256" / tree.name)

    store.put(archive, report)

    assert stamps(tree, root / "blobs/sha256" / tree.name) == before


def test_later_scan_of_the_same_artifact_replaces_its_report(
    root: Path, archive: Path, report: ScanReport
) -> None:
    store = ArtifactStore(root)
    store.put(archive, report)
    later = report.model_copy(update={"ruleset": "2"})

    store.put(archive, later)

    assert store.get(str(report.artifact_digest)).report == later


def test_artifact_is_found_by_another_process(root: Path, archive: Path, report: ScanReport) -> None:
    stored = ArtifactStore(root).put(archive, report)

    assert ArtifactStore(root).get(stored.digest) == Artifact(stored.digest, stored.tree, report)


def test_missing_tree_is_unpacked_again(root: Path, archive: Path, report: ScanReport) -> None:
    store = ArtifactStore(root)
    stored = store.put(archive, report)
    unpack.remove(stored.tree)

    assert contents(store.get(stored.digest).tree) == canonical.FILES


def test_leftovers_of_a_dead_process_are_swept_and_not_used(
    root: Path, archive: Path, report: ScanReport
) -> None:
    store = ArtifactStore(root)
    stored = store.put(archive, report)
    half = stored.tree.parent / f".{stored.tree.name}.dead"
    stored.tree.rename(half)
    (root / "blobs/sha256/.half").write_bytes(b"half")

    found = store.get(stored.digest)

    assert contents(found.tree) == canonical.FILES
    assert sorted(path.name for path in root.rglob(".*")) == []


def test_damaged_archive_is_named_and_replaced(root: Path, archive: Path, report: ScanReport) -> None:
    store = ArtifactStore(root)
    stored = store.put(archive, report)
    unpack.remove(stored.tree)
    blob = root / "blobs/sha256" / stored.tree.name
    os.chmod(blob, 0o600)
    blob.write_bytes(b"rot")

    with pytest.raises(ArtifactError, match=f"{stored.tree.name} is damaged"):
        store.get(stored.digest)
    assert store.put(archive, report) == stored


def test_unknown_digest_is_named(root: Path) -> None:
    digest = "sha256:" + "1" * 64

    with pytest.raises(ArtifactError, match=f"no artifact {digest} in {root}: store its archive first"):
        ArtifactStore(root).get(digest)
    assert not root.exists()


def test_damaged_report_is_named(root: Path, archive: Path, report: ScanReport) -> None:
    store = ArtifactStore(root)
    stored = store.put(archive, report)
    path = root / "blobs/sha256" / f"{stored.tree.name}.json"
    os.chmod(path, 0o600)
    path.write_text('{"verdict":')

    with pytest.raises(ArtifactError, match=f"cannot read the report of {stored.digest}"):
        store.get(stored.digest)


def test_archive_other_than_the_accepted_is_refused(root: Path, archive: Path, report: ScanReport) -> None:
    other = canonical.make_archive(archive.with_name("other.zip"), {"manifest.py": b"evil"})

    with pytest.raises(
        ArtifactError, match=f"digest mismatch for {other}: expected {report.artifact_digest}"
    ):
        ArtifactStore(root).put(other, report)
    assert [path for path in root.rglob("*") if path.is_file()] == [root / "lock"]


def test_rejected_archive_is_not_stored(root: Path, archive: Path) -> None:
    rejected = canonical.make_report(archive, verdict=Verdict.REJECT)

    with pytest.raises(ArtifactError, match="the scan did not accept it"):
        ArtifactStore(root).put(archive, rejected)
    assert not root.exists()


@pytest.mark.parametrize(
    ("files", "method"),
    [
        pytest.param({"../evil.py": b""}, zipfile.ZIP_STORED, id="climbs out"),
        pytest.param({"a/../../evil.py": b""}, zipfile.ZIP_STORED, id="climbs out from a folder"),
        pytest.param({"/tmp/evil.py": b""}, zipfile.ZIP_STORED, id="absolute"),
        pytest.param({"bomb": b"0" * 1000}, zipfile.ZIP_DEFLATED, id="compressed"),
        pytest.param({"a": b"", "a/b": b""}, zipfile.ZIP_STORED, id="a file that is a folder too"),
    ],
)
def test_archive_that_is_not_canonical_leaves_no_tree(
    root: Path, tmp_path: Path, files: dict[str, bytes], method: int
) -> None:
    archive = canonical.make_archive(tmp_path / "a.zip", files, method=method)

    with pytest.raises(ArtifactError, match="canonical archive"):
        ArtifactStore(root).put(archive, canonical.make_report(archive))
    assert list((root / "trees/sha256").iterdir()) == []


def test_archive_whose_members_share_bytes_is_not_unpacked(root: Path, tmp_path: Path) -> None:
    archive = canonical.make_archive(tmp_path / "a.zip", {"inner": b"x" * 1000}, method=zipfile.ZIP_STORED)
    with zipfile.ZipFile(archive) as written:
        [inner], whole = written.infolist(), archive.read_bytes()[: written.start_dir]
    with zipfile.ZipFile(archive, "w") as changed:
        changed.writestr("outer", whole)
        # Right behind the local header of the member that has it as its content.
        inner.header_offset = 30 + len("outer")
        changed.filelist.append(inner)

    with pytest.raises(ArtifactError, match="canonical archive"):
        ArtifactStore(root).put(archive, canonical.make_report(archive))


def test_store_that_is_no_folder_is_named(root: Path, archive: Path, report: ScanReport) -> None:
    root.write_text("a file")

    with pytest.raises(ArtifactError, match=f"cannot store {report.artifact_digest} in {root}"):
        ArtifactStore(root).put(archive, report)


@pytest.mark.parametrize(
    ("is_old", "is_referenced", "is_removed"),
    [
        pytest.param(True, False, True, id="old and referred to by nobody"),
        pytest.param(True, True, False, id="old and referred to"),
        pytest.param(False, False, False, id="new and not referred to yet"),
    ],
)
def test_sweep_removes_artifacts_that_are_old_and_referred_to_by_nobody(
    root: Path, archive: Path, report: ScanReport, is_old: bool, is_referenced: bool, is_removed: bool
) -> None:
    store, digest = ArtifactStore(root), str(report.artifact_digest)
    store.put(archive, report)
    if is_old:
        for path in root.rglob("*.json"):
            os.utime(path, (0, 0))

    removed = store.sweep([digest] if is_referenced else [], older_than=3600)

    assert removed == ([digest] if is_removed else [])
    assert any(root.rglob("*manifest.py")) is not is_removed


def test_swept_artifact_may_be_stored_again(root: Path, archive: Path, report: ScanReport) -> None:
    store = ArtifactStore(root)
    store.put(archive, report)
    store.sweep([], older_than=-1)

    with pytest.raises(ArtifactError, match="store its archive first"):
        store.get(str(report.artifact_digest))
    assert contents(store.put(archive, report).tree) == canonical.FILES
