"""Versions in a cluster: scanned in Jobs, environments made in Jobs, and what becomes of each fault.

The API server is real, and so are admission by Pod Security `restricted` and the processes in the pods.
"""

import contextlib
import hashlib
import json
import random
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from extractor_artifacts.environments import archive as environments
from extractor_operator.versions.steps import STEPS
from support import jobs, kuberay, kubernetes, operators, package_index, pods
from support.jobs import Player
from support.kubernetes import Cluster
from support.operators import Operator
from support.package_index import PackageServer

pytestmark = pytest.mark.integration

RUNTIME = "registry.example.com/runtime@sha256:" + "1" * 64
SCANNER = "registry.example.com/operator@sha256:" + "2" * 64
OWN = "registry.example.com/team/own@sha256:" + "3" * 64


@dataclass
class World:
    """A cluster with a namespace of the operator's own, and one of a tenant."""

    cluster: Cluster
    folder: Path
    own: str
    tenant: str
    kubeconfig: Path
    url: str
    index: PackageServer
    port: int = field(default_factory=lambda: _free_port())

    def run(
        self, *, dies: str | None = None, scan_image: str | None = SCANNER, **policy: Any
    ) -> contextlib.AbstractContextManager[Operator]:
        """Run an operator until the block ends."""
        cluster = {
            "runtimeImage": RUNTIME,
            "endpoint": f"http://127.0.0.1:{self.port}",
            "results": f"file://{self.folder / 'results'}",
            "namespace": self.own,
            "scanImage": SCANNER,
        }
        decided = {
            "cluster": cluster,
            "packages": {"url": self.index.url},
            "defaults": {
                "scan": {"allowedDependencies": ["alpha", "beta"]},
                "imagePrefixes": ["registry.example.com/team/"],
            },
        }
        return operators.run(
            *(self.cluster, self.tenant, self.kubeconfig, self.folder, "--endpoint-port", str(self.port)),
            dies=dies,
            decided=decided,
        )

    def make(self, extractor: str, archive: bytes | None = None, **spec: Any) -> dict[str, Any]:
        """Create a version."""
        archive = archive or operators.make_archive(extractor)
        (self.folder / "web" / f"{extractor}.zip").write_bytes(archive)
        item = operators.make_version(extractor, f"{self.url}/{extractor}.zip", archive)
        item["spec"] |= spec
        operators.create(self.cluster, self.tenant, item)
        return item

    def get(self, item: dict[str, Any]) -> dict[str, Any]:
        return operators.get(self.cluster, self.tenant, item)

    def settled(self, item: dict[str, Any]) -> dict[str, Any]:
        return operators.eventually(
            lambda: self.get(item), lambda seen: operators.kstatus(seen) != "InProgress", 60
        )

    def says(self, item: dict[str, Any], reason: str) -> str:
        """Wait until `Ready` has a reason, and give its message."""
        seen = operators.eventually(
            lambda: self.get(item), lambda seen: operators.ready(seen)[1] == reason, 60
        )
        return str(next(each for each in seen["status"]["conditions"] if each["type"] == "Ready")["message"])

    def jobs(self, namespace: str) -> list[dict[str, Any]]:
        found = self.cluster.request("GET", f"/apis/batch/v1/namespaces/{namespace}/jobs")["items"]
        return list(found)

    def events(self) -> list[tuple[str, str]]:
        """Give type and reason of each event."""
        path = f"/apis/events.k8s.io/v1/namespaces/{self.tenant}/events"
        return [(each["type"], each["reason"]) for each in self.cluster.request("GET", path)["items"]]

    def everything(self) -> dict[str, str]:
        """Give the state of every object that an operator may have written; a Job's status is not its own."""
        kinds = "extractorversions,secrets,events.events.k8s.io,jobs"
        found = json.loads(self.cluster.kubectl("get", kinds, "--all-namespaces", "-o", "json"))
        ours = (self.own, self.tenant)
        return {
            each["metadata"]["uid"]: str(
                each["metadata"]["generation" if each["kind"] == "Job" else "resourceVersion"]
            )
            for each in found["items"]
            if each["metadata"]["namespace"] in ours
        }

    def secret(self, name: str) -> dict[str, bytes]:
        path = f"/api/v1/namespaces/{self.tenant}/secrets/{name}"
        return pods.decode(self.cluster.request("GET", path))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with kubernetes.cluster(tmp_path_factory.mktemp("kubernetes")) as made:
        operators.install(made)
        kuberay.install(made)
        yield made


@pytest.fixture
def world(cluster: Cluster, tmp_path: Path) -> Iterator[World]:
    wheels = tmp_path / "wheels"
    package_index.wheel(wheels, "alpha", requires=["beta"])
    package_index.wheel(wheels, "beta")
    with (
        cluster.namespace() as own,
        cluster.namespace() as tenant,
        operators.web(tmp_path / "web") as url,
        package_index.serve(wheels) as index,
    ):
        for name in (own, tenant):
            cluster.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
        kubeconfig = operators.log_in(cluster, tenant, own=own)
        yield World(cluster, tmp_path, own, tenant, kubeconfig, url, index)


@pytest.fixture
def player(world: World) -> Iterator[Player]:
    with jobs.play(world.cluster, (world.own, world.tenant), world.folder / "pods") as playing:
        yield playing


def test_these_namespaces_take_no_pod_that_is_not_restricted(world: World) -> None:
    pod = {"metadata": {"name": "free"}, "spec": {"containers": [{"name": "free", "image": "x"}]}}

    for namespace in (world.own, world.tenant):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            world.cluster.request("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", pod)


def test_a_version_is_scanned_and_gets_its_environment_in_jobs(
    world: World, player: Player, tmp_path: Path
) -> None:
    archive = operators.make_archive("text-embed", dependencies=["alpha"])

    with world.run() as operator:
        item = world.make("text-embed", archive)
        seen = world.settled(item)
        token = world.secret("text-embed-1.0.0-artifact")["token"].decode()
        found = {name: fetch(world, seen, name, token) for name in ("artifact", "environment")}

    status = seen["status"]
    assert (operators.kstatus(seen), operators.ready(seen)) == ("Current", ("True", "Succeeded"))
    assert {name: digest_of(content) for name, content in found.items()} == {
        name: status[name]["digest"] for name in found
    }
    assert len(found["environment"]) == status["environment"]["archiveSize"]
    assert status["environment"]["packages"] == 2
    (tmp_path / "environment.tar").write_bytes(found["environment"])
    environments.unpack(tmp_path / "environment.tar", tmp_path / "environment", max_bytes=1 << 20)
    assert {"alpha", "beta"} <= {each.name for each in (tmp_path / "environment").iterdir()}
    assert [job["metadata"]["labels"]["extractors.mixpeek.com/job"] for job in player.made] == [
        "scan",
        "environment",
    ]
    assert {job["metadata"]["namespace"] for job in player.made} == {world.own}
    assert "finalizers" not in seen["metadata"] and "annotations" not in seen["metadata"]
    assert "Traceback" not in operator.log and "403" not in operator.log
    assert token not in operator.log and token.rpartition(".")[2] not in operator.log


def test_a_restart_writes_nothing(world: World, player: Player) -> None:
    evil = operators.make_archive("evil", files={"pipeline.py": "import subprocess\nsubprocess.run('id')\n"})
    impossible = operators.make_archive("impossible", dependencies=["alpha>=5"])
    with world.run():
        ready = world.make("ready", operators.make_archive("ready", dependencies=["alpha"]))
        items = [ready, world.make("evil", evil), world.make("impossible", impossible)]
        ends = [operators.ready(world.settled(item)) for item in items]
        operators.eventually(lambda: len(world.events()), lambda count: count == 3)
    before = world.everything()

    with world.run() as again:
        operators.eventually(
            lambda: again.ask("/metrics") if "at work" in again.log else "", _all_settled, 120
        )

    assert ends == [("True", "Succeeded"), ("False", "ScanRejected"), ("False", "DependencyConflict")]
    assert world.everything() == before


def test_who_asks_again_after_a_conflict_gets_another_answer(world: World, player: Player) -> None:
    archive = operators.make_archive("early", dependencies=["alpha>=5"])

    with world.run():
        item = world.make("early", archive)
        conflict = world.says(item, "DependencyConflict")
        package_index.wheel(world.folder / "wheels", "alpha", "5.0")
        name = item["metadata"]["name"]
        where = ("--namespace", world.tenant, "exv", name)
        world.cluster.kubectl("annotate", *where, "extractors.mixpeek.com/requested-at=now")
        seen = operators.eventually(
            lambda: world.get(item), lambda seen: operators.ready(seen)[0] == "True", 120
        )

    assert "alpha" in conflict and "change the dependencies in manifest.py" in conflict
    assert operators.kstatus(seen) == "Current"


def test_versions_that_need_the_same_share_one_environment(world: World, player: Player) -> None:
    with world.run():
        items = [
            world.make(name, operators.make_archive(name, dependencies=["beta"])) for name in ("one", "two")
        ]
        found = [world.settled(item)["status"]["environment"] for item in items]

    kinds = [job["metadata"]["labels"]["extractors.mixpeek.com/job"] for job in player.made]
    assert found[0] == found[1]
    assert kinds.count("environment") == 1


def test_an_image_of_ones_own_makes_its_environment_beside_the_version(world: World, player: Player) -> None:
    archive = operators.make_archive("own", dependencies=["beta"])

    with world.run():
        item = world.make("own", archive, image=OWN, imagePullSecrets=[{"name": "login"}])
        seen = world.settled(item)

    made = player.made[-1]
    spec = made["spec"]["template"]["spec"]
    assert seen["status"]["environment"]["image"] == OWN
    assert (made["metadata"]["namespace"], spec["containers"][0]["image"]) == (world.tenant, OWN)
    assert spec["imagePullSecrets"] == [{"name": "login"}]
    assert made["metadata"]["ownerReferences"][0]["uid"] == seen["metadata"]["uid"]
    assert [each.name for each in (world.folder / "store/built/tenants").iterdir()] == [world.tenant]


def test_a_scan_that_was_killed_is_told_and_tried_again(world: World, player: Player) -> None:
    kills = iter([jobs.killed("OOMKilled")])
    player.fault = lambda _: next(kills, None)

    with world.run():
        item = world.make("hungry")
        seen = world.settled(item)

    assert operators.ready(seen) == ("True", "Succeeded")
    assert len(player.made) == 2
    assert ("Warning", "ProgressingWithRetry") in world.events()


def test_a_version_that_is_deleted_meanwhile_leaves_nothing_behind(world: World, player: Player) -> None:
    player.is_running.clear()

    with world.run() as operator:
        item = world.make("doomed")
        operators.eventually(lambda: world.jobs(world.own), bool)
        world.cluster.request("DELETE", operators.path(world.tenant, item["metadata"]["name"]))
        player.is_running.set()
        operators.eventually(
            lambda: world.jobs(world.own),
            lambda found: any("failed" in each.get("status", {}) for each in found),
        )

    assert "Traceback" not in operator.log
    assert world.events() == []


MOMENTS = [
    *(pytest.param(step.condition.value, id=f"before {step.condition}") for step in STEPS[2:]),
    *(pytest.param(f"write-{number}", id=f"after its write number {number}") for number in range(1, 10)),
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_operator_that_is_killed_is_followed_by_one_that_ends_in_the_same_state(
    world: World, player: Player, moment: str
) -> None:
    item = world.make("killed", operators.make_archive("killed", dependencies=["beta"]))

    with world.run(dies=moment) as first:
        assert first.wait(120) == -signal.SIGKILL, first.log
    with world.run():
        seen = operators.eventually(
            lambda: world.get(item), lambda seen: operators.kstatus(seen) == "Current", 120
        )

    assert seen["status"]["environment"]["digest"]
    assert len(player.made) == 2, "nothing is done twice"
    operators.eventually(lambda: list((world.folder / "store/work").iterdir()), lambda left: left == [])
    left = {each.name for each in (world.folder / "store/errands").rglob("*") if each.is_file()}
    assert left == {"opened", "about.json", "report"}


def fetch(world: World, version: dict[str, Any], name: str, token: str) -> bytes:
    """Fetch something of a version, as its pods do."""
    url = f"http://127.0.0.1:{world.port}/v1/{world.tenant}/{version['metadata']['uid']}/{name}"
    asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return bytes(answer.read())


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _all_settled(metrics: str) -> bool:
    kind = 'extractor_operator_reconcile_total{kind="ExtractorVersion",result='
    return f'{kind}"ready"}} 1.0' in metrics and f'{kind}"stalled"}} 2.0' in metrics


def _free_port() -> int:
    """Choose a port that no connection is given by chance: it stays unused while an operator restarts."""
    while True:
        port = random.randrange(20_000, 30_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
