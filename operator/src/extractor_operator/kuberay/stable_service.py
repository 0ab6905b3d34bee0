"""The Service under which a version answers, whichever Ray cluster it does so from. Pure."""

from extractor_apis import naming
from extractor_apis.extractor import Extractor
from extractor_operator.kube import Json
from extractor_operator.kuberay import workload
from extractor_operator.kuberay.rayservice import SERVE_PORT


def render_service(extractor: Extractor, name: str, ray_cluster: str) -> Json:
    """Render a Service that leads to the pods of a Ray cluster on which Serve answers."""
    labels = {naming.MANAGED_BY: naming.FIELD_MANAGER, naming.EXTRACTOR_LABEL: extractor.metadata.name}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": workload.metadata(extractor, name, labels),
        "spec": {
            "ports": [{"name": "http", "port": SERVE_PORT, "targetPort": SERVE_PORT, "protocol": "TCP"}],
            "selector": {"ray.io/cluster": ray_cluster, "ray.io/serve": "true"},
        },
    }


def url(namespace: str, name: str) -> str:
    """Say where a stable Service answers, in the cluster."""
    return f"http://{name}.{namespace}.svc:{SERVE_PORT}/"
