"""An environment goes when nobody refers to it and nobody has asked for it for a time, and not before."""

import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from extractor_apis.packages import PackageIndex
from extractor_artifacts import environments, unpack
from extractor_artifacts.environments import Cache, Environment, Python
from support import package_index

pytestmark = pytest.mark.integration

GRACE = 3600.0


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    wheels = tmp_path / "wheels"
    package_index.wheel(wheels, "alpha", requires=["beta"])
    package_index.wheel(wheels, "beta")
    root = tmp_path / "cache"
    root.mkdir()
    yield Cache(root, PackageIndex(wheels=wheels, offline=True))
    unpack.remove(root)


def build(cache: Cache, requirement: str) -> Environment:
    locked = environments.resolve(
        [requirement], image_digest="sha256:1", python=Python.running(), constraints=(), cache=cache
    )
    return environments.build(locked, cache)


def grow_old(cache: Cache) -> None:
    """Have all that is there be of long ago."""
    past = time.time() - 2 * GRACE
    for folder in cache.environment("").iterdir():
        os.utime(folder, (past, past))


def test_what_nobody_refers_to_goes_after_its_grace_with_what_uv_kept_of_it(cache: Cache) -> None:
    both, one = build(cache, "alpha"), build(cache, "beta")
    young = environments.expire(cache, {one.key}, older_than=GRACE)
    grow_old(cache)

    assert young == []
    assert environments.expire(cache, {one.key}, older_than=GRACE) == [both.key]
    assert [each.name for each in cache.environment("").iterdir()] == [one.key]
    assert (one.path / "beta" / "__init__.py").stat().st_nlink == 1
    assert not list(cache.uv.rglob("__init__.py"))


def test_who_asks_for_it_again_starts_its_grace_again(cache: Cache) -> None:
    build(cache, "beta")
    grow_old(cache)
    build(cache, "beta")

    assert environments.expire(cache, (), older_than=GRACE) == []


def test_what_somebody_is_at_is_left_alone(cache: Cache) -> None:
    made = build(cache, "beta")
    grow_old(cache)

    with cache.only_one(made.key):
        assert environments.expire(cache, (), older_than=GRACE) == []


def test_downloads_stay_while_uv_is_at_work(cache: Cache) -> None:
    made = build(cache, "beta")
    grow_old(cache)

    with (cache.uv / ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        assert environments.expire(cache, (), older_than=GRACE) == [made.key]

    assert list(cache.uv.rglob("__init__.py"))


def test_what_was_removed_is_made_again(cache: Cache) -> None:
    made = build(cache, "alpha")
    grow_old(cache)
    environments.expire(cache, (), older_than=GRACE)

    assert build(cache, "alpha") == made
    assert (made.path / "beta" / "__init__.py").is_file()


def test_a_cache_that_was_never_used_has_nothing_to_expire(tmp_path: Path) -> None:
    assert environments.expire(Cache(tmp_path / "none"), (), older_than=0) == []
