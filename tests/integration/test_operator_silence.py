"""The operator and an API server that says nothing any more, with every connection open."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support import kubernetes, operators, tcp_proxy
from support.kubernetes import Cluster
from support.tcp_proxy import Proxy

pytestmark = pytest.mark.integration

SILENT_SECONDS = 15
"""More than the operator takes for connecting, and than its calls' shortest pause."""
HANDLED_SECONDS = 90
LIVENESS_SECONDS = 70


@dataclass(frozen=True)
class World:
    """A cluster, a namespace, and archives to fetch."""

    cluster: Cluster
    namespace: str
    kubeconfig: Path
    web: Path
    url: str

    def create(self, extractor: str) -> dict[str, Any]:
        archive = operators.make_archive(extractor)
        (self.web / f"{extractor}.zip").write_bytes(archive)
        item = operators.make_version(extractor, f"{self.url}/{extractor}.zip", archive)
        operators.create(self.cluster, self.namespace, item)
        return item

    def ready(self, item: dict[str, Any], seconds: float = 60) -> None:
        operators.eventually(
            lambda: operators.get(self.cluster, self.namespace, item),
            lambda seen: operators.kstatus(seen) == "Current",
            seconds,
        )

    def through(self, proxy: Proxy) -> Path:
        """Give the operator's configuration, by which it reaches the API server through the proxy."""
        config = json.loads(self.kubeconfig.read_text())
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{proxy.port}"
        path = self.kubeconfig.with_name(f"through-{proxy.port}.json")
        path.write_text(json.dumps(config))
        return path


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with kubernetes.cluster(tmp_path_factory.mktemp("kubernetes")) as made:
        operators.install(made)
        yield made


@pytest.fixture
def world(cluster: Cluster, tmp_path: Path) -> Iterator[World]:
    web = tmp_path / "web"
    with operators.web(web) as url, cluster.namespace() as namespace:
        yield World(cluster, namespace, operators.log_in(cluster, namespace), web, url)


def test_the_next_change_is_handled_after_the_api_server_was_silent(world: World, tmp_path: Path) -> None:
    with operators.run(world.cluster, world.namespace, world.kubeconfig, tmp_path) as operator:
        world.ready(world.create("before"))
        world.cluster.pause_server()
        time.sleep(SILENT_SECONDS)
        assert operator.ask("/livez") == "ok\n"
        world.cluster.resume_server()

        world.ready(world.create("after"), HANDLED_SECONDS)
        assert operator.process.poll() is None


def test_a_change_is_handled_although_every_connection_has_died_without_a_word(
    world: World, tmp_path: Path
) -> None:
    with (
        tcp_proxy.proxy(world.cluster.port) as proxy,
        operators.run(world.cluster, world.namespace, world.through(proxy), tmp_path) as operator,
    ):
        world.ready(world.create("before"))
        proxy.silence()

        world.ready(world.create("after"), HANDLED_SECONDS)
        assert operator.process.poll() is None


def test_liveness_tells_of_a_watch_that_has_died_and_of_one_that_is_back(
    world: World, tmp_path: Path
) -> None:
    with (
        tcp_proxy.proxy(world.cluster.port) as proxy,
        operators.run(
            world.cluster, world.namespace, world.through(proxy), tmp_path, "--resync", "2"
        ) as operator,
    ):
        world.ready(world.create("before"))
        proxy.mute_listeners()
        world.ready(world.create("after"))

        def told(said: str) -> bool:
            return said.startswith("the watch is dead: ExtractorVersion")

        operators.eventually(lambda: operator.ask("/livez"), told, LIVENESS_SECONDS)
        operators.eventually(lambda: operator.ask("/livez"), lambda said: said == "ok\n", LIVENESS_SECONDS)
