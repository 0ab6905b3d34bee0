"""KubeRay's kinds on a test's API server, and how what plays KubeRay reads and writes there.

`kuberay_player` writes what a recording of the real one has; `kuberay_local` runs the pods for real.
"""

import json
import time
from pathlib import Path
from typing import Any

import requests
import yaml

from support.kubernetes import Cluster

Json = dict[str, Any]

GROUP = "ray.io/v1"
PLURALS = {"RayCluster": "rayclusters", "RayJob": "rayjobs", "RayService": "rayservices"}
REAL_CRDS = Path(__file__).parents[3] / "shared/kuberay/crds"
"""KubeRay's own, where they lie beside the checkout; they are not ours to commit."""

_SCHEMA = Path(__file__).with_name("kuberay_schema")
_SECONDS = 30
_ESTABLISHED = ("wait", "--for=condition=Established", "crd", "--all", "--timeout=10s")


def install(cluster: Cluster, *, real: bool = REAL_CRDS.is_dir()) -> None:
    """Give a cluster KubeRay's kinds: the real ones if they are there, or else our own small ones."""
    if real:
        cluster.kubectl("apply", "--server-side", "-f", str(REAL_CRDS))
    else:
        cluster.kubectl("apply", "--server-side", "-f", "-", input=json.dumps(small_crds()))
    deadline = time.monotonic() + _SECONDS
    # kubectl refuses to wait for what has no conditions yet.
    while cluster.try_kubectl(*_ESTABLISHED).returncode:
        assert time.monotonic() < deadline, cluster.try_kubectl(*_ESTABLISHED).stderr


def small_crds() -> Json:
    """Give the kinds with only the fields that the platform uses, as a list to apply."""
    specs = _read("kinds")
    return {"apiVersion": "v1", "kind": "List", "items": [_crd(kind, specs[kind]) for kind in PLURALS]}


def path(kind: str, namespace: str | None = None, name: str = "", sub: str = "") -> str:
    """Say where the objects of one of KubeRay's kinds are, or one of them, or its status."""
    return api_path(GROUP, PLURALS[kind], namespace, name, sub)


def api_path(api: str, plural: str, namespace: str | None = None, name: str = "", sub: str = "") -> str:
    """Say where the objects of any kind are; ``api`` is ``group/version`` or ``v1``."""
    parts = [
        "/apis" if "/" in api else "/api",
        api,
        *(["namespaces", namespace] if namespace else []),
        plural,
    ]
    return "/".join([*parts, *filter(None, (name, sub))])


class Api:
    """An API server, as its administrator; connections are kept, so that looking often costs little."""

    def __init__(self, cluster: Cluster) -> None:
        self._url = cluster.url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {cluster.token}"
        self._session.verify = str(cluster.certificate)
        # The machine's proxies are not on the way to it.
        self._session.trust_env = False

    def get(self, path: str) -> Json | None:
        """Read an object; None if there is none."""
        return self._call("GET", path)

    def list(self, path: str) -> list[Json]:
        """Read all objects of a kind."""
        found = self._call("GET", path) or {}
        return list(found.get("items", []))

    def create(self, path: str, body: Json) -> Json | None:
        """Make an object; None if its name is taken."""
        return self._call("POST", path, body)

    def merge(self, path: str, body: Json) -> Json | None:
        """Change fields of an object; None if it is gone."""
        return self._call("PATCH", path, body, "application/merge-patch+json")

    def set_status(self, path: str, status: Json) -> Json | None:
        """Replace the whole status of an object; None if it is gone."""
        patch = [{"op": "add", "path": "/status", "value": status}]
        return self._call("PATCH", f"{path}/status", patch, "application/json-patch+json")

    def delete(self, path: str) -> None:
        """Delete an object, if it is there."""
        self._call("DELETE", path, {"gracePeriodSeconds": 0, "propagationPolicy": "Background"})

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def _call(self, method: str, path: str, body: Any = None, form: str = "application/json") -> Json | None:
        deadline = time.monotonic() + _SECONDS
        while True:
            answer = self._session.request(
                method,
                f"{self._url}{path}",
                data=None if body is None else json.dumps(body),
                headers={"Content-Type": form},
                timeout=_SECONDS,
            )
            # For a moment after a kind is made, its storage is being initialised.
            if answer.status_code != 429 or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        if answer.status_code in (404, 409):
            return None
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:1000]}"
        found: Json = answer.json()
        return found


def _crd(kind: str, spec: Json) -> Json:
    plural = PLURALS[kind]
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {
            "openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": anything}},
        },
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.ray.io"},
        "spec": {
            "group": "ray.io",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [version],
        },
    }


def _read(name: str) -> Any:
    return _resolve(yaml.safe_load((_SCHEMA / f"{name}.yaml").read_text()))


def _resolve(value: Any) -> Any:
    """Put a file's schema where it is named."""
    if isinstance(value, list):
        return [_resolve(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"file"}:
        return _read(value["file"])
    return {key: _resolve(each) for key, each in value.items()}
