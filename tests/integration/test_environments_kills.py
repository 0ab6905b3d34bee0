import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from extractor_apis.packages import PackageIndex
from extractor_artifacts import unpack
from extractor_artifacts.environments import Cache
from support import package_index
from support.dying import die_at_each_touch
from support.environment_builds import build

pytestmark = pytest.mark.integration

_FORKSERVER = multiprocessing.get_context("forkserver")


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    return package_index.wheel(tmp_path / "wheels", "beta").parent


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "cache"
    folder.mkdir()
    yield folder
    unpack.remove(folder)


def assert_whole(cache: Cache) -> None:
    assert (build(cache).path / "beta" / "__init__.py").read_text() == "VERSION = '1.0'\n"
    assert not [each for each in cache.root.glob("*/.*") if each.parent != cache.uv]


def test_death_at_any_step_leaves_nothing_half_made(root: Path, wheels: Path) -> None:
    cache = Cache(root, PackageIndex(wheels=wheels, offline=True))
    deaths = 0

    for touch in die_at_each_touch(root, build, cache):
        published = [each for each in cache.environment("").glob("[!.]*")]
        assert all((each / "environment.json").is_file() for each in published)
        assert_whole(cache)
        unpack.remove(root)
        root.mkdir()
        deaths = touch

    assert deaths > 20


def test_builder_waits_for_the_installer_that_a_killed_one_left(root: Path, wheels: Path) -> None:
    with package_index.serve(wheels) as server:
        cache = Cache(root, PackageIndex(url=server.url))
        server.may_answer.clear()
        killed = _FORKSERVER.Process(target=build, args=(cache,))
        killed.start()
        assert server.was_asked.wait(30)
        os.kill(killed.pid or 0, signal.SIGKILL)
        killed.join(30)

        waiting = threading.Thread(target=assert_whole, args=(cache,))
        waiting.start()
        server.may_answer.set()
        waiting.join(60)

        assert not waiting.is_alive()
        assert_whole(cache)
