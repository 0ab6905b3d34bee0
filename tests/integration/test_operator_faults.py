"""The operator where something fails: itself, the API server, the watch. It always ends in the same state."""

import itertools
import signal
import urllib.error
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from extractor_artifacts import unpack
from extractor_operator.versions.steps import STEPS
from support import kubernetes, operators
from support.kubernetes import Cluster

pytestmark = pytest.mark.integration

MOMENTS = [
    *(pytest.param(step.condition.value, id=f"before {step.condition}") for step in STEPS),
    pytest.param("after", id="before the status is written"),
]


@dataclass(frozen=True)
class World:
    """A cluster, and archives to fetch."""

    cluster: Cluster
    web: Path
    url: str

    def make_version(self, extractor: str) -> dict[str, Any]:
        archive = operators.make_archive(extractor)
        (self.web / f"{extractor}.zip").write_bytes(archive)
        return operators.make_version(extractor, f"{self.url}/{extractor}.zip", archive)

    def created(self, namespace: str, item: dict[str, Any]) -> bool:
        """Create a version, unless the API server says that it is not ready for that yet."""
        try:
            operators.create(self.cluster, namespace, item)
        except urllib.error.HTTPError as err:
            assert err.code == 503
            return False
        return True

    def ready(self, namespace: str, item: dict[str, Any], seconds: float = 60) -> dict[str, Any]:
        return operators.eventually(
            lambda: operators.get(self.cluster, namespace, item),
            lambda seen: operators.kstatus(seen) == "Current",
            seconds,
        )


@dataclass(frozen=True)
class Tenant:
    """A namespace, and who may work on it."""

    namespace: str
    kubeconfig: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("operator")
    with (
        kubernetes.cluster(folder / "kubernetes") as cluster,
        operators.web(folder / "web") as url,
    ):
        operators.install(cluster)
        yield World(cluster, folder / "web", url)


@pytest.fixture
def tenant(world: World) -> Iterator[Tenant]:
    with world.cluster.namespace() as name:
        yield Tenant(name, operators.log_in(world.cluster, name))


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_operator_that_is_killed_is_followed_by_one_that_ends_in_the_same_state(
    world: World, tenant: Tenant, tmp_path: Path, moment: str
) -> None:
    cluster, namespace, kubeconfig = world.cluster, tenant.namespace, tenant.kubeconfig
    item = world.make_version("killed")
    operators.create(cluster, namespace, item)

    with operators.run(cluster, namespace, kubeconfig, tmp_path, dies=moment) as first:
        assert first.wait() == -signal.SIGKILL, first.log
    with operators.run(cluster, namespace, kubeconfig, tmp_path):
        status = world.ready(namespace, item)["status"]
        stored = sorted(path.name for path in (tmp_path / "store").rglob("*") if path.is_file())

    assert {each["type"]: each["reason"] for each in status["conditions"]} == {
        "Ready": "Succeeded",
        "ArtifactFetched": "Succeeded",
        "ScanPassed": "Succeeded",
        "ArtifactStored": "Succeeded",
        "EnvironmentReady": "Succeeded",
    }
    digits = status["artifact"]["digest"].removeprefix("sha256:")
    assert {digits, f"{digits}.json", "lock", "manifest.py", "pipeline.py"} == set(stored)


def test_a_version_costs_two_writes_and_a_restart_none(world: World, tenant: Tenant, tmp_path: Path) -> None:
    cluster, namespace, kubeconfig = world.cluster, tenant.namespace, tenant.kubeconfig
    items = [world.make_version(f"settled-{number}") for number in range(3)]
    refused = operators.make_version("refused", f"{world.url}/refused.zip")
    operators.create(cluster, namespace, *items, refused)
    before = operators.writes(cluster)

    with operators.run(cluster, namespace, kubeconfig, tmp_path) as first:
        settled = [world.ready(namespace, item) for item in items]
        operators.eventually(lambda: operators.writes(cluster) - before, lambda count: count >= 8)
        first.end()
    between = operators.writes(cluster)
    with operators.run(cluster, namespace, kubeconfig, tmp_path) as second:
        operators.eventually(
            lambda: (
                second.ask("/metrics").count('kind="ExtractorVersion",result="stalled"} 1.0')
                if "at work" in second.log
                else 0
            ),
            bool,
        )
        late = world.make_version("late")
        operators.create(cluster, namespace, late)
        world.ready(namespace, late)
        operators.eventually(lambda: operators.writes(cluster) - between, lambda count: count >= 3)
        again = [operators.get(cluster, namespace, item) for item in items]

    # A status and an event for each; announcing what takes long may add a status.
    assert 8 <= between - before <= 12
    # The one that the test creates, with its status and event.
    assert 3 <= operators.writes(cluster) - between <= 4
    assert [each["metadata"]["resourceVersion"] for each in again] == [
        each["metadata"]["resourceVersion"] for each in settled
    ]


def test_an_artifact_that_was_lost_is_made_again(world: World, tenant: Tenant, tmp_path: Path) -> None:
    item = world.make_version("lost")
    operators.create(world.cluster, tenant.namespace, item)
    with operators.run(world.cluster, tenant.namespace, tenant.kubeconfig, tmp_path):
        settled = world.ready(tenant.namespace, item)
    digits = settled["status"]["artifact"]["digest"].removeprefix("sha256:")
    unpack.remove(tmp_path / "store")

    with operators.run(world.cluster, tenant.namespace, tenant.kubeconfig, tmp_path):
        operators.eventually((tmp_path / "store/trees/sha256" / digits).is_dir, bool)
        again = world.ready(tenant.namespace, item)

    assert again["metadata"]["resourceVersion"] == settled["metadata"]["resourceVersion"]


def test_fifty_versions_at_once_in_two_namespaces_are_all_ready(world: World, tmp_path: Path) -> None:
    items = [world.make_version(f"one-of-{number}") for number in range(25)]
    with (
        world.cluster.namespace() as one,
        world.cluster.namespace() as other,
        operators.run(
            world.cluster, None, operators.log_in(world.cluster, one, cluster_wide=True), tmp_path
        ) as operator,
    ):
        for namespace in (one, other):
            operators.create(world.cluster, namespace, *items)
        for namespace, item in itertools.product((one, other), items):
            world.ready(namespace, item, 120)

        assert operator.ask("/livez") == "ok\n"
        assert "Traceback" not in operator.log and "403" not in operator.log


def test_a_version_of_a_namespace_that_is_being_deleted_is_no_fault(
    world: World, tenant: Tenant, tmp_path: Path
) -> None:
    item = world.make_version("doomed")
    operators.create(world.cluster, tenant.namespace, item)
    world.cluster.request("DELETE", f"/api/v1/namespaces/{tenant.namespace}")

    with operators.run(world.cluster, tenant.namespace, tenant.kubeconfig, tmp_path) as operator:
        world.ready(tenant.namespace, item)
        operators.eventually(lambda: operator.log, lambda log: "an event is lost" in log)

        assert "Traceback" not in operator.log


def test_the_next_change_is_handled_after_the_api_server_was_gone(
    world: World, tenant: Tenant, tmp_path: Path
) -> None:
    before, after = world.make_version("before"), world.make_version("after")

    with operators.run(world.cluster, tenant.namespace, tenant.kubeconfig, tmp_path) as operator:
        operators.create(world.cluster, tenant.namespace, before)
        world.ready(tenant.namespace, before)
        world.cluster.stop_server()
        assert operator.ask("/livez") == "ok\n"
        world.cluster.start_server()
        operators.eventually(lambda: world.created(tenant.namespace, after), bool)

        world.ready(tenant.namespace, after, 90)
        assert operator.process.poll() is None


def test_a_standby_takes_over_and_who_lost_the_lease_ends(
    world: World, tenant: Tenant, tmp_path: Path
) -> None:
    cluster, namespace, kubeconfig = world.cluster, tenant.namespace, tenant.kubeconfig
    lease = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/operator"
    options = ("--lease", f"{namespace}/operator")

    with operators.run(cluster, namespace, kubeconfig, tmp_path / "one", *options) as one:
        operators.eventually(lambda: one.log, lambda log: "at work" in log)
        with operators.run(cluster, namespace, kubeconfig, tmp_path / "two", *options) as two:
            operators.eventually(lambda: two.log, lambda log: "waiting for the lease" in log)
            assert "at work" not in two.log
            assert one.end() == 0
            operators.eventually(lambda: two.log, lambda log: "at work" in log)
            held = cluster.request("GET", lease)
            held["spec"]["holderIdentity"] = f"somebody-else-{uuid.uuid4().hex}"
            cluster.request("PUT", lease, held)

            assert two.wait() == 1
            assert "is somebody-else" in two.log


def test_an_operator_without_an_api_server_says_so_and_ends(
    world: World, tenant: Tenant, tmp_path: Path
) -> None:
    config = tenant.kubeconfig.read_text().replace(f":{world.cluster.port}", ":1")
    nowhere = tmp_path / "nowhere.json"
    nowhere.write_text(config)

    with operators.run(world.cluster, tenant.namespace, nowhere, tmp_path) as operator:
        assert operator.wait() == 1

    assert "the API server does not answer" in operator.log and "Traceback" not in operator.log
