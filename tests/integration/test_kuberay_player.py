"""What plays KubeRay in tests: recordings on objects of the test, in compressed time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support import kuberay, kuberay_player, kubernetes, operators
from support.kuberay import Api
from support.kubernetes import Cluster

pytestmark = pytest.mark.integration

POD = {"spec": {"containers": [{"name": "ray-head", "image": "registry.example/runtime:1"}]}}
HEAD = {"headGroupSpec": {"rayStartParams": {}, "template": POD}}
SPEED = 100.0


@dataclass(frozen=True)
class World:
    """A cluster with KubeRay's kinds, and a namespace in it."""

    cluster: Cluster
    namespace: str
    api: Api

    def job(self, name: str, **spec: Any) -> None:
        self.make("RayJob", name, entrypoint="true", rayClusterSpec=HEAD, **spec)

    def make(self, kind: str, name: str, **spec: Any) -> None:
        body = {"apiVersion": kuberay.GROUP, "kind": kind, "metadata": {"name": name}, "spec": spec}
        assert self.api.create(kuberay.path(kind, self.namespace), body)

    def status(self, kind: str, name: str) -> dict[str, Any]:
        seen = self.api.get(kuberay.path(kind, self.namespace, name))
        assert seen
        found: dict[str, Any] = seen["status"]
        return found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with kubernetes.cluster(tmp_path_factory.mktemp("kubernetes")) as cluster:
        kuberay.install(cluster)
        yield cluster


@pytest.fixture
def world(cluster: Cluster) -> Iterator[World]:
    api = Api(cluster)
    with cluster.namespace() as namespace:
        yield World(cluster, namespace, api)
    api.close()


def test_a_recorded_job_happens_to_the_job_of_a_test(world: World) -> None:
    world.job("a-run-1")

    with kuberay_player.play(
        world.cluster, world.namespace, "a-run-1", "rayjob-success", speed=SPEED
    ) as wait:
        operators.eventually(
            lambda: world.api.list(kuberay_player.child_path("Pod", world.namespace)),
            lambda pods: any(each["status"]["phase"] == "Running" for each in pods),
        )
        wait()

    status = world.status("RayJob", "a-run-1")
    assert (status["jobDeploymentStatus"], status["jobStatus"]) == ("Complete", "SUCCEEDED")
    assert status["rayClusterName"].startswith("a-run-1-")


def test_times_of_a_recording_begin_with_the_test_and_shrink_with_its_speed(world: World) -> None:
    world.job("timed")

    with kuberay_player.play(world.cluster, world.namespace, "timed", "rayjob-success", speed=SPEED) as wait:
        wait()

    made = world.api.get(kuberay.path("RayJob", world.namespace, "timed"))
    assert made
    created, started = made["metadata"]["creationTimestamp"], made["status"]["startTime"]
    assert created == started <= made["status"]["endTime"]
    assert made["status"]["endTime"][:16] == created[:16] or created[17:19] == "59"


def test_generations_stay_as_far_behind_as_they_were(world: World) -> None:
    world.make("RayService", "behind", serveConfigV2="applications: []", rayClusterConfig=HEAD)

    with kuberay_player.play(
        world.cluster, world.namespace, "behind", "rayservice-init-timeout", speed=SPEED
    ) as wait:
        wait()

    status = world.status("RayService", "behind")
    assert status["observedGeneration"] == 0, "KubeRay never looks again after its time-out"


def test_applications_are_called_as_the_test_calls_them(world: World) -> None:
    config = "applications: [{name: embed, import_path: a:b, deployments: [{name: Embed}]}]"
    world.make("RayService", "named", serveConfigV2=config, rayClusterConfig=HEAD)

    with kuberay_player.play(
        world.cluster, world.namespace, "named", "rayservice-healthy", speed=SPEED
    ) as wait:
        wait()

    applications = world.status("RayService", "named")["activeServiceStatus"]["applicationStatuses"]
    assert applications == {
        "embed": {"serveDeploymentStatuses": {"Embed": {"status": "HEALTHY"}}, "status": "RUNNING"}
    }


def test_what_the_small_schema_does_not_know_is_a_mistake(tmp_path: Path) -> None:
    with kubernetes.cluster(tmp_path) as small:
        kuberay.install(small, real=False)
        body = {
            "apiVersion": kuberay.GROUP,
            "kind": "RayJob",
            "metadata": {"name": "typo"},
            "spec": {"entrypoint": "true", "entrypoit": "true", "rayClusterSpec": HEAD},
        }

        refused = small.try_kubectl(
            "apply", "--server-side", "--validate=strict", "-f", "-", input=json.dumps(body)
        )

    assert refused.returncode != 0 and ".spec.entrypoit: field not declared in schema" in refused.stderr
