"""The RayService of one served version. Its name has a hash of all that makes pods, so that it is another one
when that changes: KubeRay would not roll it out (`upgradeStrategy: None`), or not tell. Pure.

What Serve takes in place is its own config, which is no part of the hash: how many of the pool's replicas
answer, and when there are more.
"""

import json

from extractor_apis import naming
from extractor_apis.application import ApplicationConfig
from extractor_apis.extractor import Extractor, Realtime
from extractor_apis.manifest import Manifest
from extractor_apis.settings import Cluster
from extractor_operator.kube import Json
from extractor_operator.kuberay import ray_cluster, resources, workload
from extractor_operator.kuberay.workload import Code, Workload

SERVE_PORT = 8000
IMPORT_PATH = "extractor_runtime.realtime.application:build"

_SURPLUS = 16
"""Requests that reach a replica, for each that it answers at a time: it turns the surplus away itself, since
Serve's queue has no deadline and Serve's refusal does not say when to come again."""
_LATER_SECONDS = 60
"""KubeRay's deadline after ours: with its own it removes at once what tells the cause."""
_READY = {
    "httpGet": {"path": "/-/healthz", "port": SERVE_PORT},
    "periodSeconds": 5,
    "timeoutSeconds": 2,
    "failureThreshold": 1,
}
"""KubeRay's own needs wget in the image."""


def render_rayservice(
    extractor: Extractor, realtime: Realtime, code: Code, cluster: Cluster, *, python: str
) -> Json:
    """Render a served version; ``python`` is that of the platform's images."""
    spec, labels = extractor.spec, workload.labels(extractor, code)
    it = Workload(extractor, code, cluster, labels, _told(extractor, code, cluster, python))
    size, pool = resources.replica(realtime, code.manifest), resources.replicas(realtime, code.manifest).most
    queue = {naming.QUEUE_LABEL: spec.queue_name} if spec.queue_name else {}
    fixed = {
        "upgradeStrategy": {"type": "None"},
        "excludeHeadPodFromServeSvc": True,
        "rayClusterConfig": ray_cluster.render_cluster(it, size, pool, readinessProbe=_READY),
    }
    identity = workload_hash({"spec": fixed, "labels": queue})
    name = naming.workload_name(code.version.metadata.name, extractor.metadata.uid, identity)
    timeout = {"ray.io/initializing-timeout": f"{spec.deadlines.start_seconds + _LATER_SECONDS}s"}
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayService",
        "metadata": workload.metadata(extractor, name, labels | queue, **timeout),
        "spec": fixed | {"serveConfigV2": serve_config(realtime, code.manifest)},
    }


def remember(
    rayservice: Json, *, good: str | None = None, refused: str | None = None, edited: str = ""
) -> Json:
    """Note on a RayService what Serve was last told, and what is needed to put that back."""
    metadata = rayservice["metadata"]
    noted = {
        naming.SERVE_CONFIG_ANNOTATION: rayservice["spec"]["serveConfigV2"],
        naming.GOOD_CONFIG_ANNOTATION: good,
        naming.REFUSED_CONFIG_ANNOTATION: refused,
        naming.EDITED_AT_ANNOTATION: edited,
    }
    annotations = metadata["annotations"] | {name: value for name, value in noted.items() if value}
    return rayservice | {"metadata": metadata | {"annotations": annotations}}


def serve_config(realtime: Realtime, manifest: Manifest) -> str:
    """Write Serve's config: one application of one deployment, which has a pod for each of its replicas."""
    size, number = resources.replica(realtime, manifest), resources.replicas(realtime, manifest)
    name = naming.extractor_id(manifest.name, manifest.version)
    deployment = {
        "name": name,
        "max_ongoing_requests": _SURPLUS * ApplicationConfig.model_fields["max_ongoing"].default,
        "max_queued_requests": -1,
        "ray_actor_options": {"num_cpus": size.processors, "num_gpus": size.gpus},
        **_scaling(number),
    }
    application = {
        "name": name,
        # The stable Service's URL stays when another version answers.
        "route_prefix": "/",
        "import_path": IMPORT_PATH,
        "args": {"config": workload.CONFIG_FILE},
        "deployments": [deployment],
    }
    config = {
        "proxy_location": "EveryNode",
        "http_options": {"host": "0.0.0.0", "port": SERVE_PORT},
        "applications": [application],
    }
    # KubeRay reads YAML, of which JSON is a part that is written thirty times faster.
    return json.dumps(config, indent=2)


def workload_hash(value: Json) -> str:
    """Hash what was rendered; the same value always has the same hash."""
    return naming.stable_hash(json.dumps(value, sort_keys=True))


def _scaling(number: resources.Replicas) -> Json:
    if number.least == number.most:
        return {"num_replicas": number.most}
    return {
        "autoscaling_config": {
            "min_replicas": number.least,
            "initial_replicas": number.least,
            "max_replicas": number.most,
            "target_ongoing_requests": number.target_ongoing,
        }
    }


def _told(extractor: Extractor, code: Code, cluster: Cluster, python: str) -> ApplicationConfig:
    folder = workload.results_folder(cluster, extractor.metadata.namespace)
    return ApplicationConfig(
        **workload.told(code, extractor, cluster, python, {}),
        # Hidden: a store is made in an empty folder.
        verdicts=f"{folder}/.parity",
        start_seconds=extractor.spec.deadlines.start_seconds,
    )
