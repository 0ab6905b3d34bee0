"""`python -m benchmarks.workloads`: extractors and collections in one burst, to the last child of theirs.

On a real API server with KubeRay's kinds; beside a client that makes the same writes and decides nothing, and
an operator as kopf's tutorial has it. Requests are counted by the API server, processor time and memory by
the kernel. Each side has an API server of its own, because those grow.
"""

import argparse
import contextlib
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks import measure

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from benchmarks.operator.requests import MERGE, Api
from benchmarks.workloads import template
from benchmarks.workloads.comparison import Run, report
from benchmarks.workloads.template import NAME, Copy, Write
from support import kuberay, kubernetes, operators
from support.kubernetes import Cluster
from support.operators import API, Operator

Json = dict[str, Any]

_SECONDS = 1800.0
_QUIET_SECONDS = 3.0
"""Without a write: all is seen to."""
_LOOK_SECONDS = 0.2
_CONNECTIONS = 32
"""As many as the operator has."""
_WRITES = re.compile(r'^apiserver_request_total\{(.*verb="(?:APPLY|PATCH|POST|PUT|DELETE)".*)\} (\d+)', re.M)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_COUNTED = (
    "extractors",
    "collections",
    "extractorruns",
    "rayjobs",
    "rayservices",
    "networkpolicies",
    "events",
)
_KINDS = ("extractor", "collection")
_CONDITION = re.compile(r"^extractor_condition\{(.*)\} ([0-9.]+)", re.M)
_RECONCILES = re.compile(r"^extractor_operator_reconcile_total\{.*\} ([0-9.]+)", re.M)
_BATCH = "batch"
"""The extractor without an endpoint, which the collections flow through."""


def main() -> None:
    """Print the table, and write every run to a JSON file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, nargs="+", default=[100, 1000, 5000])
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/workloads.json"))
    options = parser.parse_args()
    runs = [run for objects in options.objects for run in measured(objects)]
    options.results.parent.mkdir(parents=True, exist_ok=True)
    results = {"machine": measure.machine(), "runs": [asdict(run) for run in runs]}
    options.results.write_text(json.dumps(results, indent=1))
    report(runs)


def measured(objects: int) -> Iterator[Run]:
    """Measure all sides with so many extractors and collections."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with _bench(folder / "ours", objects) as bench:
            writes, was = bench.record(folder / "writes.jsonl")
            yield from bench.ours()
        with _bench(folder / "bare", objects) as bench:
            yield bench.bare(writes, was)
        with _bench(folder / "tutorial", objects) as bench:
            yield bench.tutorial(folder / "writes.jsonl")


@dataclass
class Bench:
    """An API server, and what is asked there of whoever is measured."""

    cluster: Cluster
    api: Api
    folder: Path
    objects: int

    def record(self, file: Path) -> tuple[list[Write], str]:
        """Keep what the operator writes for one extractor and one collection; name their namespace too."""
        with self.cluster.namespace() as namespace, self._operator(namespace, str(file)):
            self._burst(namespace, [NAME])
            self._await_children(namespace, 1)
            time.sleep(_QUIET_SECONDS)
        return template.read(file), namespace

    def ours(self) -> Iterator[Run]:
        """Apply everything at once; have KubeRay start every RayJob; and start the operator again."""
        with self.cluster.namespace() as namespace:
            with self._operator(namespace) as operator:
                pid = operator.process.pid
                yield self._measure("ours", "burst", pid, lambda: self._apply(namespace))
                yield self._measure("ours", "storm", pid, lambda: self._storm(namespace, operator))
            with self._operator(namespace) as operator:
                # Every run, collection and extractor is looked at once.
                yield self._measure(
                    "ours",
                    "restart",
                    operator.process.pid,
                    lambda: _await_reconciles(operator, 3 * self.objects),
                )

    def bare(self, writes: list[Write], was: str) -> Run:
        """Make the same writes, object by object, and decide nothing."""
        owners = {kind: _uid(writes, kind) for kind in _KINDS}
        theirs = {kind: template.about(writes, uid) for kind, uid in owners.items()}

        def write(kind: str, copy: Copy) -> None:
            made = self.api.call("POST", _path(copy.namespace, f"{kind}s"), _asked(kind, copy.name))
            copy.uids[owners[kind]] = made["metadata"]["uid"]
            for each in theirs[kind]:
                one = copy.of(each)
                copy.learn(one, self.api.call(one.method, one.url, one.body, one.content_type))

        def everything(namespace: str) -> float:
            started = time.monotonic()
            copies = [(kind, Copy(name, was, namespace)) for name in self._names for kind in _KINDS]
            self.api.all(lambda each: write(*each), copies, _CONNECTIONS)
            return time.monotonic() - started

        with self.cluster.namespace() as namespace:
            return self._measure("bare", "burst", os.getpid(), lambda: everything(namespace))

    def tutorial(self, file: Path) -> Run:
        """Have an operator written as the tutorial has it make the same children."""
        with self.cluster.namespace() as namespace:
            command = [sys.executable, "-m", "benchmarks.workloads.tutorial", str(file), namespace]
            log = self.folder / "tutorial.log"
            with log.open("wb") as said:
                process = subprocess.Popen(
                    command,
                    stdout=said,
                    stderr=said,
                    env={**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig)},
                )
            try:
                # It says nothing when it is at work: what it makes first, does.
                self._burst(namespace, [NAME])
                self._await_children(namespace, 1)
                return self._measure(
                    "tutorial", "burst", process.pid, lambda: self._apply(namespace, there=1)
                )
            finally:
                process.kill()
                process.wait()

    def _apply(self, namespace: str, there: int = 0) -> float:
        """Apply everything; give the seconds to the last RayJob and RayService."""
        started = time.monotonic()
        self._burst(namespace, self._names)
        self._await_children(namespace, self.objects + there)
        return time.monotonic() - started

    def _storm(self, namespace: str, operator: Operator) -> float:
        """Have KubeRay say that every RayJob runs; give the seconds until every run does."""
        jobs = self.api.call("GET", kuberay.path("RayJob", namespace))["items"]
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        says = {"status": {"jobDeploymentStatus": "Running", "jobStatus": "RUNNING", "startTime": at}}
        started = time.monotonic()

        def say(job: Json) -> None:
            path = kuberay.path("RayJob", namespace, job["metadata"]["name"], "status")
            self.api.call("PATCH", path, says, MERGE)

        self.api.all(say, jobs)
        _until(lambda: _running(operator) >= self.objects, f"not all of {self.objects} runs run")
        return time.monotonic() - started

    def _burst(self, namespace: str, names: list[str]) -> None:
        items = [(kind, _asked(kind, name)) for name in names for kind in _KINDS]
        self.api.all(lambda item: self.api.call("POST", _path(namespace, f"{item[0]}s"), item[1]), items)

    def _await_children(self, namespace: str, count: int) -> None:
        def are_there(kind: str) -> bool:
            page = self.api.call("GET", f"{kuberay.path(kind, namespace)}?limit=1")
            return len(page["items"]) + int(page["metadata"].get("remainingItemCount", 0)) >= count

        for kind in ("RayService", "RayJob"):
            _until(functools.partial(are_there, kind), f"not all of {count} {kind}s are there")

    @contextlib.contextmanager
    def _operator(self, namespace: str, record: str = "-") -> Iterator[Operator]:
        """Run our operator where every extractor has a version that is Ready, and one is active."""
        decided = {
            "cluster": {
                "runtimeImage": "registry.example.com/runtime:1",
                "endpoint": "http://127.0.0.1:9",
                "results": f"file://{self.folder / 'results'}",
            }
        }
        kubeconfig = self.cluster.folder / f"{namespace}.json"
        is_new = not kubeconfig.exists()
        if is_new:
            operators.log_in(self.cluster, namespace)
            self._have_versions(namespace, kubeconfig, decided)
        program = ("-m", "benchmarks.workloads.ours", record)
        where = self.folder / "operator"
        with operators.run(
            self.cluster, namespace, kubeconfig, where, program=program, decided=decided
        ) as operator:
            operators.eventually(lambda: operator.log, lambda log: "at work" in log)
            if is_new:
                self._activate(namespace)
            yield operator

    def _activate(self, namespace: str) -> None:
        """Have an extractor that collections can flow through."""
        path = _path(namespace, "extractors")
        spec = {"metadata": {"name": _BATCH}, "spec": {"version": "1.0.0"}}
        self.api.call("POST", path, {"apiVersion": API, "kind": "Extractor", **spec})
        operators.eventually(
            lambda: self.api.call("GET", f"{path}/{_BATCH}").get("status", {}),
            lambda known: "activeVersion" in known,
        )

    def _have_versions(self, namespace: str, kubeconfig: Path, decided: Json) -> None:
        """Have one version brought to Ready, and give all others its status."""
        archive = operators.make_archive(_BATCH)
        (self.folder / "web").mkdir(exist_ok=True)
        (self.folder / "web/batch.zip").write_bytes(archive)
        with (
            operators.web(self.folder / "web") as url,
            operators.run(self.cluster, namespace, kubeconfig, self.folder / "operator", decided=decided),
        ):
            first = operators.make_version(_BATCH, f"{url}/batch.zip", archive)
            self.api.create(namespace, [first])
            done = operators.eventually(
                lambda: self.api.list(namespace)[0], lambda seen: operators.ready(seen)[0] == "True"
            )
        others = [
            operators.make_version(name, "https://example.com/a.zip", archive)
            for name in {NAME, *self._names}
        ]
        self.api.create(namespace, others)
        self.api.write_statuses(namespace, [each | {"status": done["status"]} for each in others])

    @property
    def _names(self) -> list[str]:
        return [f"burst-{number}" for number in range(1, self.objects + 1)]

    def _measure(self, side: str, what: str, pid: int, do: Callable[[], float]) -> Run:
        """Do something, and say what a process took for it, and for all that follows."""
        usage, server = measure.Meter.of(pid), measure.Meter.of(self.cluster.server_pid)
        before = self._writes()
        if what == "restart":
            # It begins with the process.
            usage = measure.Meter(usage.process)
        seconds = do()
        after = self._settled()
        asked = {"extractors": self.objects, "collections": self.objects} if what == "burst" else {}
        if what == "storm":
            asked = {"rayjobs/status": self.objects}
        writes = {
            each: count - before.get(each, 0) - asked.get(each, 0)
            for each, count in after.items()
            if count - before.get(each, 0) - asked.get(each, 0)
        }
        run = Run(side, what, self.objects, seconds, usage.cpu, server.cpu, writes, usage.memory)
        print(run.line, flush=True)
        return run

    def _settled(self) -> dict[str, int]:
        """Wait until nothing more is written, and give what was."""
        known, since = self._writes(), time.monotonic()
        while time.monotonic() < since + _QUIET_SECONDS:
            time.sleep(_LOOK_SECONDS)
            now = self._writes()
            if now != known:
                known, since = now, time.monotonic()
        return known

    def _writes(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for labels, count in _WRITES.findall(self.cluster.kubectl("get", "--raw", "/metrics")):
            known = dict(_LABEL.findall(labels))
            if known["resource"] in _COUNTED and known.get("code", "").startswith("2"):
                what = "/".join(filter(None, (known["resource"], known["subresource"])))
                found[what] = found.get(what, 0) + int(count)
        return found


@contextlib.contextmanager
def _bench(folder: Path, objects: int) -> Iterator[Bench]:
    with kubernetes.cluster(folder / "kubernetes") as cluster:
        operators.install(cluster)
        kuberay.install(cluster)
        for kind in ("RayJob", "RayService"):
            _have_taken_up(cluster, kuberay.PLURALS[kind])
        yield Bench(cluster, Api(cluster), folder, objects)


def _have_taken_up(cluster: Cluster, plural: str) -> None:
    """Have every object of KubeRay's say from the first moment that KubeRay knows it: a write less each."""
    found = json.loads(cluster.kubectl("get", "crd", f"{plural}.ray.io", "-o", "json"))
    starting = {"type": "Ready", "status": "False", "reason": "Initializing", "message": ""}
    condition = {**starting, "lastTransitionTime": "2026-01-01T00:00:00Z"}
    known: dict[str, Json] = {
        "rayjobs": {"jobDeploymentStatus": "Initializing"},
        "rayservices": {"observedGeneration": 1, "conditions": [condition]},
    }
    patches = [
        {
            "op": "add",
            "path": f"/spec/versions/{number}/schema/openAPIV3Schema/properties/status/default",
            "value": known[plural],
        }
        for number, version in enumerate(found["spec"]["versions"])
        if version["name"] == "v1"
    ]
    cluster.kubectl("patch", "crd", f"{plural}.ray.io", "--type=json", "-p", json.dumps(patches))


def _asked(kind: str, name: str) -> Json:
    """What the user applies."""
    specs = {
        "extractor": {"version": "1.0.0", "realtime": {}},
        "collection": {"extractor": _BATCH, "source": {"url": "file:///results/objects"}},
    }
    return {"apiVersion": API, "kind": kind.capitalize(), "metadata": {"name": name}, "spec": specs[kind]}


def _path(namespace: str, plural: str) -> str:
    return kuberay.api_path(API, plural, namespace)


def _uid(writes: list[Write], kind: str) -> str:
    """Find the uid of the extractor or collection whose writes were kept."""
    wanted = f"/{kind}s/{NAME}/status"
    return next(str(each.uid) for each in writes if each.path.endswith(wanted))


def _running(operator: Operator) -> float:
    wanted = {"kind": "ExtractorRun", "type": "Succeeded", "reason": "Running"}
    found = _CONDITION.findall(operator.ask("/metrics"))
    return sum(
        float(count) for labels, count in found if wanted.items() <= dict(_LABEL.findall(labels)).items()
    )


def _await_reconciles(operator: Operator, count: int) -> float:
    """Wait until so many objects were looked at; give the age of the process then."""
    _until(
        lambda: sum(map(float, _RECONCILES.findall(operator.ask("/metrics")))) >= count, "it looks at nothing"
    )
    age: float = time.time() - psutil.Process(operator.process.pid).create_time()
    return age


def _until(is_so: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            sys.exit(f"after {_SECONDS:g} s: {otherwise}")
        time.sleep(_LOOK_SECONDS)


if __name__ == "__main__":
    main()
