"""Events as Kubernetes' own controllers write them."""

import datetime

from extractor_apis.extractorversion import ExtractorVersion
from extractor_apis.resource import Condition, ConditionStatus
from extractor_operator import events
from support import operators

AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def version() -> ExtractorVersion:
    item = operators.make_version("text", "https://example.com/a.zip")
    item["metadata"] |= {"namespace": "team", "uid": "one"}
    return ExtractorVersion.model_validate(item)


def condition(status: ConditionStatus, message: str = "said") -> Condition:
    return Condition(
        type="Ready", status=status, reason="NotFound", message=message, last_transition_time="now"
    )


def test_an_event_says_what_a_condition_has_become() -> None:
    event = events.render(version(), condition(ConditionStatus.FALSE), instance="pod", at=AT)

    assert event["metadata"].pop("name").startswith("text-1.0.0.")
    assert event == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"namespace": "team"},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "extractor-operator",
        "reportingInstance": "pod",
        "action": "Reconcile",
        "reason": "NotFound",
        "type": "Warning",
        "note": "said",
        "regarding": {
            "apiVersion": "extractors.mixpeek.com/v1alpha1",
            "kind": "ExtractorVersion",
            "namespace": "team",
            "name": "text-1.0.0",
            "uid": "one",
        },
    }


def test_the_same_transition_has_the_same_name_and_another_another() -> None:
    names = {
        events.render(version(), condition(ConditionStatus.FALSE), instance=pod, at=at)["metadata"]["name"]
        for pod, at in (("one", AT), ("other", AT), ("one", AT + datetime.timedelta(seconds=1)))
    }

    assert len(names) == 2


def test_a_note_is_cut_by_bytes() -> None:
    event = events.render(version(), condition(ConditionStatus.TRUE, "ä" * 1000), instance="pod", at=AT)

    assert (event["type"], event["note"]) == ("Normal", "ä" * 512)
