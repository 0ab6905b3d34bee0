"""A cluster at work: API server, local KubeRay, the operator as its own process, archives to fetch."""

import contextlib
import hashlib
import json
import socket
import sys
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from extractor_apis.naming import FeatureURI
from extractor_apis.run import DeadLetter, RunPhase, RunState
from extractor_stores import Hit, Store, search
from extractor_stores.rows import DOCUMENTS
from support import jobs, kuberay, kuberay_local, kubernetes, operators, s3, word_bags
from support.kuberay import Json
from support.kuberay_local import LocalKubeRay
from support.kubernetes import Cluster
from support.operators import API, Operator

IMAGE = "registry.example/runtime@sha256:" + "0" * 64
BUCKET_SECRET = "bucket"
"""Secret with what the object store asks of a source."""
SECONDS = 240.0
"""For what takes several starts of Ray on a busy machine."""
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_ASK_SECONDS = 30
_PAUSE_SECONDS = 0.1
_PLURALS = {
    "ExtractorVersion": "extractorversions",
    "Extractor": "extractors",
    "Collection": "collections",
    "ExtractorRun": "extractorruns",
}


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered."""

    status: int
    version: str | None
    """The version that it says answered."""
    body: Json


@dataclass
class Client:
    """Somebody who asks and asks."""

    answers: Counter[tuple[int, str | None]] = field(default_factory=Counter)
    """How often which status was given by which version."""

    @property
    def failed(self) -> int:
        """Answers that were none."""
        return sum(count for (status, _), count in self.answers.items() if status != 200)

    @property
    def versions(self) -> set[str | None]:
        """Who has answered."""
        return {version for _, version in self.answers}


@dataclass(frozen=True)
class World:
    """An operator at work on one namespace."""

    cluster: Cluster
    namespace: str
    folder: Path
    local: LocalKubeRay
    operator: Operator
    url: str
    """Where archives are fetched from."""

    @property
    def results(self) -> Path:
        """The namespace's folder of results."""
        return self.folder / "results" / self.namespace

    def apply(self, *items: Json) -> None:
        """Apply objects with kubectl."""
        self.apply_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))

    def apply_text(self, text: str) -> None:
        """Apply a file's text with kubectl."""
        self.cluster.kubectl("apply", "--namespace", self.namespace, "-f", "-", input=text)

    def publish(self, archive: bytes, name: str) -> Json:
        """Put an archive where it can be fetched; give it as a version's source."""
        (self.folder / "web" / name).write_bytes(archive)
        digest = f"sha256:{hashlib.sha256(archive).hexdigest()}"
        return {"zip": {"url": f"{self.url}/{name}", "digest": digest}}

    def version(self, extractor: str, version: str, edits: Mapping[str, str] = operators.NOTHING) -> None:
        """Publish and apply a version of a small extractor."""
        archive = word_bags.archive(extractor, version, edits)
        source = self.publish(archive, f"{extractor}-{version}.zip")
        spec = {"extractor": extractor, "version": version, "source": source}
        self.apply(make("ExtractorVersion", f"{extractor}-{version}", **spec))

    def source(self, name: str, texts: Mapping[str, str]) -> Json:
        """Write objects to a folder of the bucket, beside what is there already; give it as a source."""
        s3.put({f"{name}/{object_id}.txt": text.encode() for object_id, text in texts.items()})
        return {"url": f"s3://{s3.BUCKET}/{name}/", "secretRef": {"name": BUCKET_SECRET}}

    def search(self, extractor: str, text: str, *, limit: int) -> list[Hit]:
        """Find what is nearest to a text, as its extractor's stable Service embeds it."""
        vector = self.ask(extractor, text).body["embedding"]
        with Store.open(self.results, create=False) as store:
            return search(store, FeatureURI(extractor.replace("-", "_")), vector, limit=limit)

    def documents(self, collection: str) -> dict[str, Json]:
        """Read what is published of a collection, by object."""
        with Store.open(self.results, create=False) as store:
            records = [each for each in store.records() if each.collection == collection]
            rows = [
                row
                for record in records
                for batch in store.published(record).scan(["object_id", "document"], DOCUMENTS)
                for row in batch.to_pylist()
            ]
        return {row["object_id"]: json.loads(row["document"]) for row in rows}

    def is_running(self, run: str) -> bool:
        """Tell whether a run says that it is taking objects."""
        file = self.results / "runs" / run / "state.json"
        return file.exists() and RunState.model_validate_json(file.read_bytes()).phase is RunPhase.RUNNING

    def dead_letters(self, run: str) -> list[DeadLetter]:
        """Read the dead letters of a run."""
        files = sorted((self.results / "runs" / run / "dead-letters").iterdir())
        lines = [line for file in files for line in file.read_text().splitlines()]
        return [DeadLetter.model_validate_json(line) for line in lines]

    def get(self, kind: str, name: str) -> Json:
        """Read one of our objects."""
        path = kuberay.api_path(API, _PLURALS[kind], self.namespace, name)
        found: Json = self.cluster.request("GET", path)
        return found

    def wait(self, kind: str, name: str, want: Callable[[Json], bool]) -> Json:
        """Wait until one of our objects is as wanted."""
        return operators.eventually(lambda: self.get(kind, name), want, SECONDS)

    def settled(self, kind: str, name: str) -> Json:
        """Wait until nothing more becomes of an object by itself."""
        return self.wait(kind, name, lambda item: operators.kstatus(item) != "InProgress")

    def names(self, kind: str) -> list[str]:
        """Name KubeRay's objects of a kind."""
        found = self.local.api.list(kuberay.path(kind, self.namespace))
        return sorted(each["metadata"]["name"] for each in found)

    def ask(self, extractor: str, text: str) -> Answer:
        """Ask an extractor through its stable Service."""
        url = self.local.url(self.namespace, f"{extractor}-serve")
        asked = json.dumps({"inputs": {"text": text}}).encode()
        request = urllib.request.Request(url, asked, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=_ASK_SECONDS) as answer:
                return Answer(answer.status, answer.headers["x-extractor-version"], json.load(answer))
        except urllib.error.HTTPError as err:
            return Answer(err.code, None, {"detail": err.read().decode()})

    @contextlib.contextmanager
    def asking(self, extractor: str) -> Iterator[Client]:
        """Have somebody ask all the time until the block ends."""
        client, stop = Client(), threading.Event()

        def ask() -> None:
            while not stop.wait(_PAUSE_SECONDS):
                answer = self.ask(extractor, "tea")
                client.answers[answer.status, answer.version] += 1

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            yield client
        finally:
            stop.set()
            thread.join()
        assert client.answers, "nobody was asked anything"


def make(kind: str, name: str, **spec: Any) -> Json:
    """Make one of our objects."""
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": spec}


def condition(item: Json, type: str) -> tuple[str, str]:
    """Give status and reason of a condition."""
    found = item.get("status", {}).get("conditions", ())
    return next(((each["status"], each["reason"]) for each in found if each["type"] == type), ("", ""))


@contextlib.contextmanager
def run(folder: Path, *, has_jobs: bool = False, **decided: Any) -> Iterator[World]:
    """Have a world until the block ends; ``decided`` are settings of the operator beside the usual ones.

    Only versions with dependencies need Jobs, which make their environments.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    results = folder / "results"
    results.mkdir(parents=True)
    with (
        kubernetes.cluster(folder / "kubernetes") as cluster,
        cluster.namespace() as namespace,
        operators.web(folder / "web") as url,
        s3.serve() as bucket,
    ):
        workloads = {
            "namespace": namespace,
            "runtimeImage": IMAGE,
            "endpoint": f"http://127.0.0.1:{port}",
            "results": results.as_uri(),
            "resultsVolume": {"hostPath": {"path": str(results)}},
            "nodeAutoscaler": False,
        }
        kuberay.install(cluster)
        operators.install(cluster)
        kubeconfig = operators.log_in(cluster, namespace)
        fields = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "aws_region": "us-east-1"}
        fields |= {"aws_endpoint_url": bucket.url, "aws_allow_http": "true"}
        secret = {"metadata": {"name": BUCKET_SECRET}, "stringData": fields}
        cluster.request("POST", f"/api/v1/namespaces/{namespace}/secrets", secret)
        with (
            kuberay_local.run(cluster, folder / "pods") as local,
            jobs.play(cluster, (namespace,), folder / "jobs") if has_jobs else contextlib.nullcontext(),
            operators.run(
                cluster,
                namespace,
                kubeconfig,
                folder / "operator",
                *("--endpoint-port", str(port)),
                decided={"cluster": workloads, "runtimePython": _PYTHON, **decided},
            ) as operator,
        ):
            yield World(cluster, namespace, folder, local, operator, url)
