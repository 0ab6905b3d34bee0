"""What Prometheus reads, and the page that tells what it means."""

import re

from prometheus_client import generate_latest

from extractor_operator.metrics import Metrics
from extractor_operator.store import Said
from support import pages

_ROW = re.compile(r"^\| `(\w+)(?:\{([a-z_, ]*)\})?` \|", re.MULTILINE)
READY = Said("ExtractorVersion", "team", "Ready", "True", "Succeeded")


def make(conditions: dict[Said, int] | None = None) -> Metrics:
    metrics = Metrics()
    metrics.observe(
        depth=lambda: 3, failing=lambda: 2, waiting=lambda: 1, conditions=lambda: conditions or {}
    )
    return metrics


def test_the_page_lists_every_metric_with_its_labels() -> None:
    page = (pages.ROOT / "docs/metrics.md").read_text()
    metrics = make({READY: 1})
    metrics.reconciles.labels(kind="ExtractorVersion", result="ready")
    metrics.reconcile_seconds.labels(kind="ExtractorVersion")
    metrics.last_event.labels(kind="ExtractorVersion")
    metrics.findings.labels(rule="C04", severity="reject")

    assert {name: labels.split(", ") if labels else [] for name, labels in _ROW.findall(page)} == {
        family.name + ("_total" if family.type == "counter" else ""): [
            name for name in family.samples[0].labels if name != "le"
        ]
        for family in metrics.registry.collect()
    }


def test_conditions_are_told_with_the_number_of_objects() -> None:
    text = generate_latest(make({READY: 7}).registry).decode()

    assert (
        'extractor_condition{kind="ExtractorVersion",namespace="team",reason="Succeeded",status="True",'
        'type="Ready"} 7.0\n'
    ) in text


def test_the_queue_is_asked_when_somebody_reads() -> None:
    registry = make().registry

    assert registry.get_sample_value("extractor_operator_workqueue_depth") == 3
    assert registry.get_sample_value("extractor_operator_workqueue_failing") == 2
    assert registry.get_sample_value("extractor_operator_slots_waiting") == 1
