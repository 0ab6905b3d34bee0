"""The KubeRay that tests have: pods' containers really run, and what they come to is in the statuses."""

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support import kuberay, kuberay_local, kubernetes, operators
from support.kuberay import Api
from support.kuberay_local import LocalKubeRay
from support.kubernetes import Cluster

pytestmark = pytest.mark.integration

SERVE_SECONDS = 180
"""For Ray and Serve to start on a busy machine."""
APPLICATION = """
import json
from ray import serve

@serve.deployment
class Greeting:
    def __init__(self, config):
        self.text = json.load(open(config))["text"]
    async def __call__(self, request):
        return self.text

def build(args):
    if args.get("fails"):
        raise RuntimeError("no such model")
    return Greeting.options(name="greeting").bind(args["config"])
"""
COPY = "import shutil; shutil.copy('/capability/token', '/artifact/seen')"
READ = "import json; t = open('/artifact/seen').read(); c = json.load(open('/config/config.json')); "


@dataclass(frozen=True)
class World:
    """A local KubeRay at work, and a namespace."""

    cluster: Cluster
    namespace: str
    local: LocalKubeRay
    modules: Path

    @property
    def api(self) -> Api:
        return self.local.api

    def cluster_spec(self, text: str = "hello") -> dict[str, Any]:
        """Make a RayCluster whose pods have an init container with a capability, and a config."""
        shared = [{"name": "artifact", "mountPath": "/artifact"}, {"name": "config", "mountPath": "/config"}]
        image = {"image": "registry.example/runtime:1"}
        annotation = {"fieldPath": "metadata.annotations['extractors.mixpeek.com/config']"}
        template = {
            "metadata": {"annotations": {"extractors.mixpeek.com/config": json.dumps({"text": text})}},
            "spec": {
                "initContainers": [
                    {
                        **image,
                        "name": "install",
                        "command": ["python", "-c", COPY],
                        "volumeMounts": [*shared, {"name": "capability", "mountPath": "/capability"}],
                    }
                ],
                "containers": [
                    {
                        **image,
                        "name": "ray-head",
                        "volumeMounts": shared,
                        "env": [{"name": "PYTHONPATH", "value": str(self.modules)}],
                    }
                ],
                "volumes": [
                    {"name": "artifact", "emptyDir": {}},
                    {"name": "capability", "secret": {"secretName": "capability"}},
                    {
                        "name": "config",
                        "downwardAPI": {"items": [{"path": "config.json", "fieldRef": annotation}]},
                    },
                ],
            },
        }
        return {"headGroupSpec": {"rayStartParams": {}, "template": template}}

    def make(self, kind: str, name: str, **spec: Any) -> None:
        body = {"apiVersion": kuberay.GROUP, "kind": kind, "metadata": {"name": name}, "spec": spec}
        assert self.api.create(kuberay.path(kind, self.namespace), body)

    def job(self, name: str, code: str, **spec: Any) -> None:
        self.make(
            "RayJob", name, entrypoint=f'python -c "{code}"', rayClusterSpec=self.cluster_spec(), **spec
        )

    def status(self, kind: str, name: str) -> dict[str, Any]:
        found = self.api.get(kuberay.path(kind, self.namespace, name)) or {}
        status: dict[str, Any] = found.get("status") or {}
        return status

    def ended(self, name: str) -> dict[str, Any]:
        return operators.eventually(
            lambda: self.status("RayJob", name),
            lambda status: status.get("jobDeploymentStatus") in ("Complete", "Failed"),
        )

    def secret(self) -> None:
        secret = {"metadata": {"name": "capability"}, "stringData": {"token": "t0ken"}}
        self.api.create(kuberay.api_path("v1", "secrets", self.namespace), secret)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with kubernetes.cluster(tmp_path_factory.mktemp("kubernetes")) as cluster:
        kuberay.install(cluster)
        yield cluster


@pytest.fixture
def world(cluster: Cluster, tmp_path: Path) -> Iterator[World]:
    (tmp_path / "greeting_application.py").write_text(APPLICATION)
    with (
        cluster.namespace() as namespace,
        kuberay_local.run(cluster, tmp_path / "pods", has_ray=False) as local,
    ):
        yield World(cluster, namespace, local, tmp_path)


def test_a_jobs_entry_point_finds_what_its_init_container_made_and_its_config(world: World) -> None:
    world.secret()

    world.job("reads", READ + "print(t, c['text'])")

    assert (world.ended("reads")["jobDeploymentStatus"], world.ended("reads")["jobStatus"]) == (
        "Complete",
        "SUCCEEDED",
    )
    assert world.local.job(world.namespace, "reads").log.read_text() == "t0ken hello\n"


def test_what_a_failed_job_printed_is_in_its_message(world: World) -> None:
    world.secret()

    world.job("fails", "raise SystemExit('the source is gone')")

    status = world.ended("fails")
    assert (status["jobDeploymentStatus"], status["reason"]) == ("Failed", "AppFailed")
    assert status["message"].endswith("the source is gone\n")


def test_a_job_without_its_secret_waits_until_its_deadline_and_says_so_on_the_pod(world: World) -> None:
    world.job("waits", "pass", preRunningDeadlineSeconds=2)

    assert world.ended("waits")["reason"] == "PreRunningDeadlineExceeded"
    pods = world.api.list(kuberay.api_path("v1", "pods", world.namespace))
    state = pods[0]["status"]["initContainerStatuses"][0]["state"]
    assert state == {
        "waiting": {"reason": "CreateContainerConfigError", "message": 'secret "capability" not found'}
    }


def test_a_pod_that_no_node_has_room_for_stays_as_it_is(world: World) -> None:
    world.secret()
    world.local.stuck["never"] = kuberay_local.UNSCHEDULABLE

    world.job("never-runs", "pass", preRunningDeadlineSeconds=2)

    assert world.ended("never-runs")["reason"] == "PreRunningDeadlineExceeded"
    [pod] = world.api.list(kuberay.api_path("v1", "pods", world.namespace))
    [condition] = pod["status"]["conditions"]
    assert (condition["type"], condition["reason"]) == ("PodScheduled", "Unschedulable")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param("kill_entrypoint", "AppFailed", id="its entry point is killed"),
        pytest.param("lose_head", "SubmissionFailed", id="its head is lost"),
    ],
)
def test_a_running_job_can_be_broken(world: World, fault: str, reason: str) -> None:
    world.secret()
    world.job("sleeps", "import time; time.sleep(60)")
    operators.eventually(
        lambda: world.status("RayJob", "sleeps"), lambda status: status.get("jobStatus") == "RUNNING"
    )

    getattr(world.local.job(world.namespace, "sleeps"), fault)()

    assert (world.ended("sleeps")["jobDeploymentStatus"], world.ended("sleeps")["reason"]) == (
        "Failed",
        reason,
    )


def test_a_deleted_job_takes_its_cluster_and_pods_with_it(world: World) -> None:
    world.secret()
    world.job("goes", "import time; time.sleep(60)")
    operators.eventually(
        lambda: world.status("RayJob", "goes"), lambda status: status.get("jobStatus") == "RUNNING"
    )
    process = world.local.job(world.namespace, "goes").process

    world.cluster.kubectl("delete", "rayjob", "goes", "--namespace", world.namespace, "--timeout=20s")

    paths = [kuberay.path("RayCluster", world.namespace), kuberay.api_path("v1", "pods", world.namespace)]
    operators.eventually(lambda: [world.api.list(path) for path in paths], lambda seen: seen == [[], []])
    assert process is not None and process.poll() is not None


def test_a_suspended_job_starts_when_it_is_resumed(world: World) -> None:
    world.secret()
    world.job("queued", "pass", suspend=True, shutdownAfterJobFinishes=True)
    operators.eventually(
        lambda: world.status("RayJob", "queued"),
        lambda status: status.get("jobDeploymentStatus") == "Suspended",
    )
    assert not world.api.list(kuberay.path("RayCluster", world.namespace))

    world.api.merge(kuberay.path("RayJob", world.namespace, "queued"), {"spec": {"suspend": False}})

    assert world.ended("queued")["jobDeploymentStatus"] == "Complete"


def test_a_services_selector_decides_which_cluster_answers(world: World) -> None:
    world.secret()
    for name in ("first", "second"):
        world.make(
            "RayService", name, serveConfigV2=_config(), rayClusterConfig=world.cluster_spec(f"I am {name}")
        )
    service = {"metadata": {"name": "stable"}, "spec": {"ports": [{"port": 8000}], "selector": {}}}
    where = kuberay.api_path("v1", "services", world.namespace)
    world.api.create(where, service)

    answers = {}
    for name in ("first", "second"):
        status = operators.eventually(
            lambda name=name: world.status("RayService", name),  # type: ignore[misc]
            lambda status: status.get("numServeEndpoints") == 1,
            SERVE_SECONDS,
        )
        selector = {"ray.io/cluster": status["activeServiceStatus"]["rayClusterName"], "ray.io/serve": "true"}
        world.api.merge(f"{where}/stable", {"spec": {"selector": selector}})
        answers[name] = _get(world.local.url(world.namespace, "stable"))

    assert answers == {"first": "I am first", "second": "I am second"}


def test_an_application_that_cannot_be_built_is_never_promoted(world: World) -> None:
    world.secret()

    world.make(
        "RayService", "fails", serveConfigV2=_config(fails=True), rayClusterConfig=world.cluster_spec()
    )

    status = operators.eventually(
        lambda: world.status("RayService", "fails"),
        lambda status: "DEPLOY_FAILED" in json.dumps(status.get("pendingServiceStatus", {})),
        SERVE_SECONDS,
    )
    application = status["pendingServiceStatus"]["applicationStatuses"]["greeting"]
    assert "no such model" in application["message"]
    assert (status["numServeEndpoints"], status["conditions"][0]["status"]) == (0, "False")


def _config(**args: Any) -> str:
    application = {
        "name": "greeting",
        "import_path": "greeting_application:build",
        "route_prefix": "/",
        "args": {"config": "/config/config.json", **args},
    }
    return json.dumps({"applications": [application]})


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        text: str = answer.read().decode()
        return text
