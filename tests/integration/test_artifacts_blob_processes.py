"""Blobs outlive the processes that keep, give out and sweep them."""

import functools
import ipaddress
import multiprocessing
import os
import shutil
from pathlib import Path

import pytest

from extractor_artifacts import digest
from extractor_artifacts.addresses import AddressPolicy
from extractor_artifacts.blobs import BlobStore
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.store import ArtifactStore
from support import blob_users, canonical
from support.dying import die_at_each_touch
from support.fetching import fetch_into
from support.scripted_http import Answer, serve

pytestmark = pytest.mark.integration

CONTENT = bytes(range(256)) * 4096
DIGEST = digest.of_bytes(CONTENT)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "archive.zip"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize("is_on_another_disk", [False, True], ids=["links", "copies"])
def test_death_at_any_step_leaves_no_half_blob(tmp_path: Path, file: Path, is_on_another_disk: bool) -> None:
    root, deaths = tmp_path / "blobs", 0
    if is_on_another_disk:
        file = Path("/dev/shm") / f"archive.{os.getpid()}.zip"
        file.write_bytes(CONTENT)
    blobs, into = BlobStore(root), tmp_path / "taken"

    try:
        for touch in die_at_each_touch(root, blobs.add, file):
            size = blobs.take(DIGEST, into)
            assert size is None or into.read_bytes() == CONTENT
            blobs.add(file)
            assert blobs.take(DIGEST, into) == len(CONTENT)
            blobs.sweep([], older_than=-1)
            assert list((root / "sha256").iterdir()) == []
            deaths = touch
    finally:
        file.unlink()

    assert deaths > 4


def test_death_at_any_step_of_a_fetch_leaves_no_half_archive(tmp_path: Path) -> None:
    here, root, deaths = AddressPolicy((ipaddress.ip_network("127.0.0.0/8"),)), tmp_path / "work", 0

    with serve(Answer(CONTENT)) as server:
        for touch in die_at_each_touch(root, fetch_into, root, server.url, DIGEST, here):
            archive = root / "archive.zip"
            assert not archive.exists() or archive.read_bytes() == CONTENT
            for blob in root.glob("blobs/sha256/[!.]*"):
                assert (blob.name, blob.read_bytes()) == (digest.digits(DIGEST), CONTENT)
            assert fetch_into(root, server.url, DIGEST, here).size == len(CONTENT)
            shutil.rmtree(root)
            deaths = touch

    assert deaths > 8


def test_death_at_any_step_of_a_sweep_leaves_whole_artifacts_or_none(tmp_path: Path) -> None:
    archive = canonical.make_archive(tmp_path / "canonical.zip")
    report = canonical.make_report(archive)
    root, deaths = tmp_path / "store", 0
    store = ArtifactStore(root, patience=30)
    store.put(archive, report)

    for touch in die_at_each_touch(root, functools.partial(store.sweep, [], older_than=-1)):
        try:
            tree = store.get(str(report.artifact_digest)).tree
            assert (tree / "manifest.py").read_bytes() == canonical.FILES["manifest.py"]
        except ArtifactError as err:
            assert "store its archive first" in str(err)
        store.sweep([], older_than=-1)
        assert [path for path in root.rglob("*") if path.is_file()] == [root / "lock"]
        assert list((root / "trees/sha256").iterdir()) == []
        store.put(archive, report)
        deaths = touch

    assert deaths > 8


def test_processes_that_use_and_sweep_a_store_at_once_see_whole_blobs(tmp_path: Path, file: Path) -> None:
    root = tmp_path / "blobs"
    context = multiprocessing.get_context("forkserver")
    users = [context.Process(target=blob_users.use, args=(root, file, tmp_path / str(n))) for n in range(3)]
    sweepers = [context.Process(target=blob_users.sweep, args=(root,)) for _ in range(2)]

    for process in users + sweepers:
        process.start()
    for process in users + sweepers:
        process.join(60)

    assert [process.exitcode for process in users + sweepers] == [0] * 5
    assert not list(root.glob("sha256/.*"))
