"""The operator as a process of its own, on a real API server, with the rights that it ships with."""

import contextlib
import functools
import hashlib
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from support import archives
from support.kubernetes import Cluster

ROOT = Path(__file__).parents[2]
API = "extractors.mixpeek.com/v1alpha1"
NAME = "extractor-operator"
ALLOWED = "no-such-distribution"
"""The one dependency that the operator's settings allow."""
MAX_BYTES = 1 << 20
"""What an archive may weigh."""

_CHILD = str(Path(__file__).with_name("operator_child.py"))
_SECONDS = 60
_WRITES = re.compile(
    r'apiserver_request_total\{.*resource="(?:extractorversions|events)"'
    r'.*verb="(?:APPLY|PATCH|POST|PUT|DELETE)".*\} (\d+)'
)
NOTHING: Mapping[str, Any] = MappingProxyType({})
T = TypeVar("T")


def install(cluster: Cluster) -> None:
    """Give a cluster the kinds, and the operator's roles."""
    cluster.kubectl(
        "apply", "--server-side", "-f", str(ROOT / "crds"), "-f", str(ROOT / "operator/rbac.yaml")
    )
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")


def log_in(cluster: Cluster, namespace: str, *, cluster_wide: bool = False, own: str | None = None) -> Path:
    """Make the operator's service account in a namespace, bound to its roles there, and its kubeconfig.

    ``own`` is its own namespace, if that is another one.
    """
    roles = "/apis/rbac.authorization.k8s.io/v1"
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    cluster.request("POST", accounts, {"metadata": {"name": NAME}})
    for role in (NAME, f"{NAME}-own"):
        everywhere = cluster_wide and role == NAME
        bound_in = own if own and role != NAME else namespace
        cluster.request(
            "POST",
            f"{roles}/clusterrolebindings" if everywhere else f"{roles}/namespaces/{bound_in}/rolebindings",
            {
                "metadata": {"name": role},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": namespace}],
            },
        )
    asked = {"spec": {"expirationSeconds": 3600}}
    token = cluster.request("POST", f"{accounts}/{NAME}/token", asked)["status"]["token"]
    config = json.loads(cluster.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    path = cluster.folder / f"{namespace}.json"
    path.write_text(json.dumps(config))
    return path


@dataclass
class Operator:
    """A running operator."""

    process: "subprocess.Popen[bytes]"
    port: int
    log_file: Path

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self.log_file.read_text("utf-8", "replace")

    def ask(self, path: str) -> str:
        """Ask one of its probes; give what it answers, whatever the status."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as err:
            return err.read().decode()

    def wait(self, seconds: float = _SECONDS) -> int:
        """Wait for its end; give its exit status."""
        return self.process.wait(seconds)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it; give its exit status."""
        self.process.send_signal(how)
        return self.wait()


@contextlib.contextmanager
def run(
    cluster: Cluster,
    namespace: str | None,
    kubeconfig: Path,
    folder: Path,
    *options: str,
    dies: str | None = None,
    program: Sequence[str] = ("-m", "extractor_operator"),
    image_prefixes: Sequence[str] = (),
    decided: Mapping[str, Any] = NOTHING,
) -> Iterator[Operator]:
    """Run an operator of one namespace, or of all, until the block ends.

    ``dies`` names the moment when it is killed; ``program`` is what runs it, for who watches its writes;
    ``decided`` has settings that differ from the usual ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "settings.yaml"
    usual = {
        "store": str(folder / "store"),
        "sources": {"allowedAddresses": ["127.0.0.0/8"], "maxBytes": MAX_BYTES},
        "packages": {"wheels": str(folder), "offline": True},
        "defaults": {"scan": {"allowedDependencies": [ALLOWED]}, "imagePrefixes": list(image_prefixes)},
    }
    settings.write_text(json.dumps({**usual, **decided}))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    log_file = folder / f"operator-{port}.log"
    program = program if dies is None else ("-P", _CHILD, dies)
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, *program, "--settings", str(settings)),
                *("--port", str(port), "--endpoint-port", "0"),
                *(("--namespace", namespace) if namespace else ()),
                *options,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        )
    try:
        yield Operator(process, port, log_file)
    finally:
        process.kill()
        process.wait()


def make_archive(
    extractor: str,
    version: str = "1.0.0",
    files: Mapping[str, str] = NOTHING,
    dependencies: Sequence[str] = (),
) -> bytes:
    """Build an archive of an extractor by its object's name."""
    manifest = archives.MANIFEST.replace('"text_embed"', f'"{extractor.replace("-", "_")}"')
    manifest = manifest.replace('"1.0.0"', f'"{version}"')
    manifest = manifest.replace("dependencies = []", f"dependencies = {list(dependencies)!r}")
    return archives.extractor({"manifest.py": manifest, **files})


def make_version(
    extractor: str, url: str, archive: bytes = b"", version: str = "1.0.0", **source: Any
) -> dict[str, Any]:
    """Make a version whose archive is at a URL."""
    digest = f"sha256:{hashlib.sha256(archive).hexdigest()}"
    return {
        "apiVersion": API,
        "kind": "ExtractorVersion",
        "metadata": {"name": f"{extractor}-{version}"},
        "spec": {
            "extractor": extractor,
            "version": version,
            "source": {"zip": {"url": url, "digest": digest, **source}},
        },
    }


def path(namespace: str, name: str = "") -> str:
    """Say where the versions of a namespace are, or one of them."""
    return f"/apis/{API}/namespaces/{namespace}/extractorversions" + (f"/{name}" if name else "")


def get(cluster: Cluster, namespace: str, item: dict[str, Any]) -> dict[str, Any]:
    """Read a version."""
    found: dict[str, Any] = cluster.request("GET", path(namespace, item["metadata"]["name"]))
    return found


def create(cluster: Cluster, namespace: str, *items: dict[str, Any]) -> None:
    """Create versions."""
    for item in items:
        cluster.request("POST", path(namespace), item)


def kstatus(item: dict[str, Any]) -> str:
    """Say what Flux, Argo CD and `kubectl` wait for, by kstatus' rules."""
    status = item.get("status", {})
    if status.get("observedGeneration") != item["metadata"]["generation"]:
        return "InProgress"
    conditions = {each["type"]: each["status"] for each in status.get("conditions", [])}
    if conditions.get("Reconciling") == "True":
        return "InProgress"
    if conditions.get("Stalled") == "True":
        return "Failed"
    return "InProgress" if conditions.get("Ready") == "False" else "Current"


def ready(item: dict[str, Any]) -> tuple[str, str]:
    """Give status and reason of `Ready`."""
    conditions = item.get("status", {}).get("conditions", [])
    return next(
        ((each["status"], each["reason"]) for each in conditions if each["type"] == "Ready"), ("", "")
    )


def writes(cluster: Cluster) -> int:
    """Count the writes of versions, statuses and events that the API server has seen."""
    return sum(map(int, _WRITES.findall(cluster.kubectl("get", "--raw", "/metrics"))))


def eventually(look: Callable[[], T], want: Callable[[T], bool], seconds: float = _SECONDS) -> T:
    """Look until what is seen is what is wanted, and give it."""
    deadline = time.monotonic() + seconds
    while not want(seen := look()):
        assert time.monotonic() < deadline, f"after {seconds} s still {seen}"
        time.sleep(0.1)
    return seen


@contextlib.contextmanager
def web(folder: Path, port: int = 0) -> Iterator[str]:
    """Serve a folder, and give its URL."""
    folder.mkdir(parents=True, exist_ok=True)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
