"""What the operator tells Prometheus; docs/metrics.md lists it. No label grows with the number of objects."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from extractor_operator.store import Said

_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600)
_BYTES = tuple(10.0**power for power in range(3, 10))


class Metrics:
    """The metrics of one operator."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.reconciles = Counter(
            "extractor_operator_reconcile_total",
            "Reconciles, by what they came to.",
            ("kind", "result"),
            registry=self.registry,
        )
        self.reconcile_seconds = Histogram(
            "extractor_operator_reconcile_duration_seconds",
            "Time of one reconcile.",
            ("kind",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.last_event = Gauge(
            "extractor_operator_watch_last_event_timestamp_seconds",
            "When the watch of a kind last brought something.",
            ("kind",),
            registry=self.registry,
        )
        self.fetch_seconds = Histogram(
            "extractor_artifact_fetch_duration_seconds",
            "Time of one fetch of a source.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.artifact_bytes = Histogram(
            "extractor_artifact_bytes",
            "Bytes of the archives that were fetched.",
            buckets=_BYTES,
            registry=self.registry,
        )
        self.findings = Counter(
            "extractor_scan_findings_total",
            "Findings of scans.",
            ("rule", "severity"),
            registry=self.registry,
        )

    def observe(
        self,
        *,
        depth: Callable[[], float],
        failing: Callable[[], float],
        waiting: Callable[[], float],
        conditions: Callable[[], Mapping[Said, int]],
    ) -> None:
        """Ask the work queue, the slots and the store whenever somebody reads."""
        self.registry.register(_Conditions(conditions))
        for name, says, ask in (
            ("workqueue_depth", "Keys that are ready, and wait for a worker.", depth),
            ("workqueue_failing", "Keys whose last reconcile failed.", failing),
            ("slots_waiting", "Keys that wait for others to be done.", waiting),
        ):
            Gauge(f"extractor_operator_{name}", says, registry=self.registry).set_function(ask)


class _Conditions(Collector):
    """Counts the objects by what their conditions say; those that nobody has looked at say nothing."""

    def __init__(self, ask: Callable[[], Mapping[Said, int]]) -> None:
        self._ask = ask

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(
            "extractor_condition", "Objects of which a condition says this.", labels=Said._fields
        )
        for said, count in self._ask().items():
            family.add_metric(said, count)
        yield family
