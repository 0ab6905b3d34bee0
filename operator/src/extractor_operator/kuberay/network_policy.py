"""Who may talk to the pods of an extractor, and to whom they may talk. Pure.

Ray's ports take orders from anyone who reaches them, so that only its own pods and KubeRay do. Queries come
from the namespace and from the platform's. Policies add up: a tenant opens that port to others with one more,
and a run that reads its objects from the network has one more.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from extractor_apis import naming
from extractor_apis.collection import Collection
from extractor_apis.extractor import Egress, Extractor
from extractor_apis.extractorrun import ExtractorRun
from extractor_apis.settings import Cluster
from extractor_operator.kube import Json
from extractor_operator.kuberay import workload
from extractor_operator.kuberay.rayservice import SERVE_PORT

_DNS_PORT = 53
_DASHBOARD_PORT = 8265
_HTTPS_PORT = 443
_NOT_PUBLIC = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3"),
)
_NOT_PUBLIC_6 = ("64:ff9b::/96", "fc00::/7", "fe80::/10", "ff00::/8")
_KUBERAY = {"app.kubernetes.io/name": "kuberay-operator"}


def render_policy(extractor: Extractor, cluster: Cluster, egress: Iterable[Egress]) -> Json:
    """Render the policy of all pods of an extractor: what the platform needs, and what it was granted."""
    own = {naming.EXTRACTOR_LABEL: extractor.metadata.name}
    between = {"podSelector": {"matchLabels": own}}
    return _policy(
        workload.metadata(extractor, f"{extractor.metadata.name}-extractor", _labels(extractor)),
        own,
        ingress=[
            {"from": [between]},
            {
                "from": [_namespace(cluster.kuberay_namespace) | {"podSelector": {"matchLabels": _KUBERAY}}],
                "ports": [_tcp(_DASHBOARD_PORT), _tcp(SERVE_PORT)],
            },
            {"from": [{"podSelector": {}}, _namespace(cluster.namespace)], "ports": [_tcp(SERVE_PORT)]},
        ],
        egress=[
            {"to": [between]},
            # Wherever it answers: on some clusters that is an address of the node.
            {"ports": [_tcp(_DNS_PORT), {"protocol": "UDP", "port": _DNS_PORT}]},
            {"to": [_namespace(cluster.namespace)], "ports": [_tcp(_port(cluster.endpoint))]},
            *(
                {"to": [{"ipBlock": {"cidr": each.cidr}}], "ports": [_tcp(port) for port in each.ports]}
                for each in egress
            ),
        ],
    )


def render_source_policy(run: ExtractorRun, collection: Collection, job: str) -> Json | None:
    """Render the policy by which the pods of a RayJob reach public object stores; None for shared folders."""
    if collection.spec.source.url.startswith("file://"):
        return None
    public = [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": list(_NOT_PUBLIC)}},
        {"ipBlock": {"cidr": "::/0", "except": list(_NOT_PUBLIC_6)}},
    ]
    labels = {naming.MANAGED_BY: naming.FIELD_MANAGER, naming.EXTRACTOR_LABEL: run.spec.extractor}
    return _policy(
        workload.metadata(run, job, labels),
        {naming.RUN_LABEL: job},
        egress=[{"to": public, "ports": [_tcp(_HTTPS_PORT)]}],
    )


def _policy(metadata: Json, selected: dict[str, str], **rules: list[Json]) -> Json:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": {
            "podSelector": {"matchLabels": selected},
            "policyTypes": [name.capitalize() for name in rules],
            **rules,
        },
    }


def _labels(extractor: Extractor) -> dict[str, str]:
    return {naming.MANAGED_BY: naming.FIELD_MANAGER, naming.EXTRACTOR_LABEL: extractor.metadata.name}


def _namespace(name: str) -> Json:
    # The API server sets this label, and no tenant can.
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _tcp(port: int) -> Json:
    return {"protocol": "TCP", "port": port}


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or {"https": _HTTPS_PORT}.get(parts.scheme, 80)
