"""A real Kubernetes API server to test against: etcd and kube-apiserver here, ready in three seconds.

There are no controllers and no nodes: nothing is garbage-collected, no Job and no pod ever runs.
"""

import base64
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_ROOT = Path(__file__).parents[2]
_PARTS = _ROOT / ".cache/parts/kubernetes"
_START_SECONDS = 60
_STOP_SECONDS = 20
_CALL_SECONDS = 60


@dataclass
class Cluster:
    """A running API server, and how an administrator reaches it."""

    folder: Path
    binaries: Path
    token: str = field(repr=False)
    port: int
    etcd_port: int
    _etcd: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    _server: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def server_pid(self) -> int:
        """The API server's process."""
        assert self._server is not None, "the API server was stopped"
        return self._server.pid

    @property
    def certificate(self) -> Path:
        """The certificate that it shows, which signs itself."""
        return self.folder / "certificates/apiserver.crt"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's configuration file."""
        return self.folder / "kubeconfig.json"

    def kubectl(self, *arguments: str, input: str | None = None) -> str:
        """Run kubectl as the administrator, and give what it prints. Raises AssertionError if it fails."""
        done = self.try_kubectl(*arguments, input=input)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def try_kubectl(self, *arguments: str, input: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Run kubectl as the administrator, and give whatever comes of it."""
        return subprocess.run(
            [str(self.binaries / "kubectl"), f"--kubeconfig={self.kubeconfig}", *arguments],
            input=input,
            capture_output=True,
            text=True,
            timeout=_CALL_SECONDS,
            # Its cache of what the server offers would go to the user's home.
            env={"HOME": str(self.folder), "PATH": os.defpath},
        )

    @contextlib.contextmanager
    def namespace(self) -> Iterator[str]:
        """Make a namespace of a test's own; without controllers it stays, empty or not."""
        name = f"test-{uuid.uuid4().hex[:10]}"
        self.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        yield name

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Make one call as the administrator. Raises urllib.error.HTTPError for what the server refuses."""
        request = urllib.request.Request(
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        context = ssl.create_default_context(cafile=str(self.certificate))
        with urllib.request.urlopen(request, timeout=_CALL_SECONDS, context=context) as answer:
            return json.loads(answer.read())

    def stop_server(self) -> None:
        """Kill the API server; what it knows is kept by etcd."""
        _end(self._server, signal.SIGKILL)
        self._server = None

    def pause_server(self) -> None:
        """Have the API server say nothing, with every connection open."""
        os.kill(self.server_pid, signal.SIGSTOP)

    def resume_server(self) -> None:
        """Have it go on where it was."""
        os.kill(self.server_pid, signal.SIGCONT)

    def start_server(self) -> None:
        """Start the API server, and wait until it is ready."""
        keys = self.folder / "service-accounts.pem"
        command = [
            str(self.binaries / "kube-apiserver"),
            f"--etcd-servers=http://127.0.0.1:{self.etcd_port}",
            f"--secure-port={self.port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--cert-dir={self.folder / 'certificates'}",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            f"--service-account-issuer={self.url}",
            f"--service-account-signing-key-file={keys}",
            f"--service-account-key-file={keys}",
            # No controller makes the service account that it would wait for.
            "--disable-admission-plugins=ServiceAccount",
        ]
        self._server = _start(command, self.folder / "kube-apiserver.log")
        self._wait_until_ready()

    def _start_etcd(self) -> None:
        peer = _free_port()
        command = [
            str(self.binaries / "etcd"),
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls=http://127.0.0.1:{self.etcd_port}",
            f"--advertise-client-urls=http://127.0.0.1:{self.etcd_port}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
            "--unsafe-no-fsync",
        ]
        self._etcd = _start(command, self.folder / "etcd.log")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            assert self._server is not None and self._server.poll() is None, self._last_words()
            try:
                if self.certificate.exists():
                    self.request("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?limit=1")
                    return
            except (OSError, urllib.error.URLError, ssl.SSLError):
                assert time.monotonic() < deadline, self._last_words()
            assert time.monotonic() < deadline, self._last_words()
            time.sleep(0.1)

    def _last_words(self) -> str:
        log = self.folder / "kube-apiserver.log"
        return f"the API server did not start: {log.read_text('utf-8', 'replace')[-2000:]}"


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Run etcd and an API server until the block ends, with all they write in a folder.

    Where parts are missing the test is skipped, but fails in CI.
    """
    binaries = Path(os.environ.get("KUBEBUILDER_ASSETS") or _PARTS)
    missing = [name for name in ("etcd", "kube-apiserver", "kubectl") if not (binaries / name).exists()]
    if missing:
        message = f"no {', '.join(missing)}: run `make kubernetes`, or set KUBEBUILDER_ASSETS"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    folder.mkdir(parents=True, exist_ok=True)
    made = Cluster(folder, binaries, secrets.token_hex(16), _free_port(), _free_port())
    (folder / "tokens.csv").write_text(f'{made.token},admin,admin,"system:masters"\n')
    (folder / "service-accounts.pem").write_bytes(_private_key())
    try:
        made._start_etcd()
        made.start_server()
        made.kubeconfig.write_text(json.dumps(_kubeconfig(made)))
        yield made
    finally:
        _end(made._server, signal.SIGTERM)
        _end(made._etcd, signal.SIGTERM)
        shutil.rmtree(folder / "etcd", ignore_errors=True)


def _kubeconfig(made: Cluster) -> dict[str, Any]:
    certificate = base64.b64encode(made.certificate.read_bytes()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "test", "cluster": {"server": made.url, "certificate-authority-data": certificate}}
        ],
        "users": [{"name": "admin", "user": {"token": made.token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "current-context": "test",
    }


def _private_key() -> bytes:
    return rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _start(command: list[str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as file:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)


def _end(process: "subprocess.Popen[bytes] | None", how: signal.Signals) -> None:
    if process is None:
        return
    process.send_signal(how)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
