"""Environments that Jobs have made: those of a tenant's own image are nobody else's."""

import os
from pathlib import Path

import pytest

from extractor_artifacts.environments.order import Made
from extractor_operator.endpoint import built
from extractor_operator.endpoint.built import Built

MADE = Made(digest="sha256:" + "a" * 64, archive_size=7, packages=2, size=100)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    file = tmp_path / "handed-in"
    file.write_bytes(b"archive")
    return file


def test_what_is_kept_is_found_with_its_archive(tmp_path: Path, archive: Path) -> None:
    store = Built(tmp_path / "built")

    store.keep("key", archive, MADE)

    assert store.find("key") == MADE
    assert store.archive("key").read_bytes() == b"archive"


def test_an_environment_of_a_tenants_image_is_for_that_tenant_only(tmp_path: Path, archive: Path) -> None:
    Built(tmp_path / "built", "team-a").keep("key", archive, MADE)

    found = [Built(tmp_path / "built", tenant).find("key") for tenant in ("team-a", "team-b", None)]

    assert found == [MADE, None, None]


def test_what_is_there_is_not_replaced(tmp_path: Path, archive: Path) -> None:
    store = Built(tmp_path / "built")
    store.keep("key", archive, MADE)

    store.keep("key", archive, MADE.model_copy(update={"packages": 3}))

    assert store.find("key") == MADE


def test_what_is_damaged_is_made_again(tmp_path: Path, archive: Path) -> None:
    store = Built(tmp_path / "built")
    store.keep("key", archive, MADE)
    (store.archive("key").parent / "made.json").write_text("{")

    before = store.find("key")
    store.keep("key", archive, MADE)

    assert (before, store.find("key")) == (None, MADE)


def test_what_is_asked_for_is_not_swept_meanwhile(tmp_path: Path, archive: Path) -> None:
    store = Built(tmp_path / "built")
    store.keep("key", archive, MADE)
    os.utime(store.archive("key").parent, (0, 0))

    store.find("key")

    assert built.sweep(tmp_path / "built", set(), older_than=3600) == 0


def test_a_sweep_removes_what_no_version_refers_to(tmp_path: Path, archive: Path) -> None:
    root = tmp_path / "built"
    shared, own = Built(root), Built(root, "team-a")
    for store, key in ((shared, "kept"), (shared, "stale"), (shared, "fresh"), (own, "stale")):
        store.keep(key, archive, MADE)
        if key != "fresh":
            os.utime(store.archive(key).parent, (0, 0))

    assert built.sweep(root, {"kept"}, older_than=3600) == 2
    assert [store.find(key) for store, key in ((shared, "kept"), (shared, "stale"), (own, "stale"))] == [
        MADE,
        None,
        None,
    ]
    assert shared.find("fresh") == MADE
