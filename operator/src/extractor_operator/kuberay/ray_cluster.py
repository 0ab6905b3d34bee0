"""The Ray cluster of a workload: a head that computes nothing, and a fixed pool of workers of one size. Pure.

Ray's autoscaler would need a token for the API server in a pod that runs a tenant's code.
"""

from typing import Any

from extractor_apis.settings import RUNTIME_RAY
from extractor_operator.kube import Json
from extractor_operator.kuberay import pod
from extractor_operator.kuberay.resources import Size
from extractor_operator.kuberay.workload import Workload

_HEAD = {"requests": {"cpu": "1", "memory": "4Gi"}, "limits": {"cpu": "1", "memory": "4Gi"}}
"""For Ray's own processes, and for the driver of a run."""


def render_cluster(it: Workload, size: Size, workers: int, **worker: Any) -> Json:
    """Render a cluster's spec, whose workers' containers have more fields, if any are given."""
    return {
        "rayVersion": RUNTIME_RAY,
        # Each cluster has a token of its own: whoever reaches Ray's ports without it gives no orders.
        "authOptions": {"mode": "token"},
        "headGroupSpec": {
            "rayStartParams": {"num-cpus": "0", "num-gpus": "0", "dashboard-host": "0.0.0.0"},
            "template": pod.render_ray_pod(it, "ray-head", _HEAD),
        },
        "workerGroupSpecs": [
            {
                "groupName": "workers",
                "replicas": workers,
                "minReplicas": workers,
                "maxReplicas": workers,
                "rayStartParams": size.start_parameters(),
                "template": pod.render_ray_pod(it, "ray-worker", size.render(), **worker),
            }
        ],
    }
