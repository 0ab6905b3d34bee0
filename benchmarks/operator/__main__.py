"""`python -m benchmarks.operator`: many small versions, from create to Ready, on a real API server.

The operator is a process of its own, with the rights that it ships with, and the archives are in a real
registry. Requests are counted by the API server, processor time and memory by the kernel.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import measure

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from benchmarks.operator.requests import Api
from support import kubernetes, oci_registry, operators
from support.kubernetes import Cluster
from support.oci_registry import Registry

_SECONDS = 3600.0
_READY = 'extractor_operator_reconcile_total{kind="ExtractorVersion",result="ready"} '


@dataclass(frozen=True)
class Run:
    """What the operator took to settle so many objects."""

    what: str
    objects: int
    """In the cluster, at the end."""
    settled: int
    """Of them in this run."""
    seconds: float
    cpu: float
    """Processor seconds of the operator, its scans included."""
    server_cpu: float
    """Processor seconds of the API server."""
    writes: int
    """Requests that the API server took for a write: statuses and events."""
    memory: int
    """Bytes of the operator at the end: proportional set size."""


def main() -> None:
    """Print the table, and write every run to a JSON file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, default=1000)
    parser.add_argument("--namespaces", type=int, default=5, help="each with all versions, for the memory")
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/operator.json"))
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        oci_registry.oci_registry() as registry,
        kubernetes.cluster(Path(name) / "kubernetes") as cluster,
        cluster.namespace() as namespace,
    ):
        operators.install(cluster)
        bench = Bench(cluster, Api(cluster), registry, Path(name) / "operator", namespace, options.versions)
        runs = list(bench.runs(options.namespaces))
    options.results.parent.mkdir(parents=True, exist_ok=True)
    results = {"machine": measure.machine(), "runs": [asdict(run) for run in runs]}
    options.results.write_text(json.dumps(results, indent=1))
    report(runs)


@dataclass
class Bench:
    """A cluster, a registry, and what is asked of the operator there."""

    cluster: Cluster
    api: Api
    registry: Registry
    folder: Path
    namespace: str
    versions: int

    def runs(self, namespaces: int) -> Iterator[Run]:
        """Bring versions to Ready, start again, and again among copies that are Ready already."""
        kubeconfig = operators.log_in(self.cluster, self.namespace, cluster_wide=True)
        items = [self._push(number) for number in range(self.versions)]
        with self._operator(kubeconfig) as operator:
            yield self._measure("none there", operator, 0, 0)
            yield self._measure("create to Ready", operator, len(items), len(items), items)
            there = self.api.list(self.namespace)
            assert all(operators.kstatus(each) == "Current" for each in there), "not all are Ready"
        with self._operator(kubeconfig) as operator:
            yield self._measure("restart", operator, len(items), len(items))
        self._copy(items, namespaces - 1)
        with self._operator(kubeconfig) as operator:
            everything = len(items) * namespaces
            yield self._measure("restart", operator, everything, everything)

    def _push(self, number: int) -> dict[str, Any]:
        """Publish a version of an extractor of its own."""
        extractor = f"small-{number}"
        digest = self.registry.push(f"bench/{extractor}", "1.0.0", operators.make_archive(extractor))
        item = operators.make_version(extractor, "")
        item["spec"]["source"] = {
            "oci": {"reference": f"{self.registry.host}/bench/{extractor}:1.0.0@{digest}"}
        }
        return item

    def _operator(self, kubeconfig: Path) -> AbstractContextManager[operators.Operator]:
        return operators.run(self.cluster, None, kubeconfig, self.folder)

    def _measure(
        self,
        what: str,
        operator: operators.Operator,
        objects: int,
        settled: int,
        items: list[dict[str, Any]] | None = None,
    ) -> Run:
        """Wait until the operator has settled so many; with items, from the moment that they are created."""
        operators.eventually(lambda: operator.log, lambda log: "at work" in log)
        usage = measure.Meter.of(operator.process.pid)
        server = measure.Meter.of(self.cluster.server_pid)
        before, started = operators.writes(self.cluster), time.time()
        if items:
            self.api.create(self.namespace, items)
        else:
            # A restart begins with the process.
            started, usage = usage.process.create_time(), measure.Meter(usage.process)
        _wait(operator, settled)
        seconds = time.time() - started
        # An event follows its status.
        time.sleep(2)
        run = Run(
            what,
            objects,
            settled,
            seconds,
            usage.cpu,
            server.cpu,
            operators.writes(self.cluster) - before - len(items or ()),
            usage.memory,
        )
        print(f"{what}: {seconds:.1f} s", flush=True)
        return run

    def _copy(self, items: list[dict[str, Any]], times: int) -> None:
        """Have the same versions in more namespaces, as Ready as they are here."""
        done = self.api.list(self.namespace)
        for _ in range(times):
            with self.cluster.namespace() as other:
                self.api.create(other, items)
                self.api.write_statuses(other, done)


def _wait(operator: operators.Operator, settled: int) -> None:
    """Wait until so many objects have been brought to Ready."""
    deadline = time.monotonic() + _SECONDS
    while _settled(operator) < settled:
        if time.monotonic() > deadline:
            sys.exit(f"after {_SECONDS:g} s only {_settled(operator):g} of {settled} objects are Ready")
        # Each look costs the operator some milliseconds.
        time.sleep(0.5)


def _settled(operator: operators.Operator) -> float:
    said = operator.ask("/metrics").partition(_READY)[2]
    return float(said.partition("\n")[0] or 0)


def report(runs: list[Run]) -> None:
    """Print what each run took, in all and for each object."""
    empty, *others = runs
    for run in others:
        each = run.settled
        print(
            f"{run.what:16} {run.objects:5} objects {run.seconds:6.1f} s, {run.cpu:6.1f} s of processor "
            f"({1000 * run.cpu / each:6.1f} ms each), API server {run.server_cpu:6.1f} s, "
            f"{run.writes / each:.2f} writes each, {run.memory / 1e6:.0f} MB"
        )
    most = others[-1]
    print(f"memory: {(most.memory - empty.memory) / most.objects / 1e3:.1f} kB an object")


if __name__ == "__main__":
    main()
