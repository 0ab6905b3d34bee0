"""What our objects say of everything that the real KubeRay was recorded doing, moment by moment.

`expected.yaml` beside each recording is what an engineer wants to read at three in the morning. The replay
looks as often as the operator does, and reads pods only where it would.
"""

import json
import re

import pytest
import yaml

from extractor_apis.conditions import ConditionType, Reason
from extractor_apis.resource import ConditionStatus
from extractor_operator.kuberay.job import JobObservation
from extractor_operator.kuberay.service import ServiceObservation
from support import recordings
from support.recordings import FIXTURES, SCENARIOS, Look

JOBS = [scenario for scenario in SCENARIOS if scenario.startswith("rayjob-")]
SERVICES = [scenario for scenario in SCENARIOS if scenario.startswith("rayservice-")]
POLLED = [scenario for scenario in SERVICES if (FIXTURES / scenario / "requests.jsonl").exists()]

LEAKING = {
    "rayjob-bad-image-no-deadline",
    "rayjob-edit-running",
    "rayjob-head-killed-no-head-restart",
    "rayjob-invalid-edit-running",
    "rayjob-invalid-longname",
    "rayjob-invalid-rules-and-shutdown",
    "rayjob-invalid-suspend",
    "rayjob-stopped-deletionrules",
}
"""KubeRay had not ended them when the recording did, or said of them what it never takes back."""

POD_NAME = re.compile(r"-(head|worker|w)-[a-z0-9]{5}\b")
LATENCY_SECONDS = 2.1
"""Between what requests saw and what KubeRay wrote of it."""


def is_ready(look: Look) -> bool:
    return any(
        stage.type is ConditionType.READY and stage.status is ConditionStatus.TRUE for stage in look.shown
    )


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_recording_is_told_as_it_should_be(scenario: str) -> None:
    expected = yaml.safe_load((FIXTURES / scenario / "expected.yaml").read_text())

    moments: list[dict[str, object]] = []
    for look in recordings.replay(scenario):
        told = recordings.told(look)
        if not moments or told != {name: moments[-1][name] for name in told}:
            moments.append({"at": round(look.at, 2), **told})

    assert moments == expected["moments"]


def test_all_56_recordings_are_there() -> None:
    assert len(SCENARIOS) == 56


@pytest.mark.parametrize("scenario", JOBS)
def test_a_run_is_ready_only_when_kuberay_says_complete_and_ray_says_succeeded(scenario: str) -> None:
    for look in recordings.replay(scenario):
        status = (look.workload or {}).get("status") or {}
        pair = (status.get("jobDeploymentStatus"), status.get("jobStatus"))

        assert is_ready(look) == (pair == ("Complete", "SUCCEEDED"))


@pytest.mark.parametrize("scenario", SERVICES)
def test_an_extractor_is_ready_only_while_all_that_it_asks_for_runs(scenario: str) -> None:
    for look in recordings.replay(scenario):
        status = (look.workload or {}).get("status") or {}
        active = status.get("activeServiceStatus", {}).get("applicationStatuses", {})
        runs = bool(active) and all(each["status"] == "RUNNING" for each in active.values())
        is_empty = look.workload is None or bool((look.workload["spec"] or {}).get("suspend"))

        assert not is_ready(look) or runs or is_empty
        assert not is_ready(look) or not status.get("pendingServiceStatus", {}).get("rayClusterName")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_state_lasts_for_ever(scenario: str) -> None:
    looks = recordings.replay(scenario)
    # Of what the API server refused there is nothing to say.
    last = looks[-1] if looks else None

    assert not last or not last.outcome.reconciling or last.observed.reason is Reason.WORKLOAD_GONE


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_sentences_are_short_and_name_nothing_that_changes(scenario: str) -> None:
    sentences = [stage.message for look in recordings.replay(scenario) for stage in look.shown]

    assert [
        said for said in sentences if len(said) > 400 or not said.isprintable() or POD_NAME.search(said)
    ] == []


@pytest.mark.parametrize("scenario", POLLED)
def test_available_is_what_requests_saw(scenario: str) -> None:
    looks = recordings.replay(scenario)

    for line in (FIXTURES / scenario / "requests.jsonl").read_text().splitlines():
        seen = json.loads(line)
        begin, end = seen["t_from"] + LATENCY_SECONDS, seen["t_to"] - LATENCY_SECONDS
        during = [look for look in looks if begin < look.at < end]
        before = [look for look in looks if look.at <= begin][-1:]
        if begin < end:
            answers = {
                isinstance(each.observed, ServiceObservation) and each.observed.answers
                for each in before + during
            }
            assert answers == {seen["status"] == 200}


@pytest.mark.parametrize("scenario", JOBS)
def test_only_what_kuberay_leaves_behind_is_told_to_be_deleted(scenario: str) -> None:
    observed = [look.observed for look in recordings.replay(scenario)]

    leaks = any(isinstance(each, JobObservation) and each.is_leaking for each in observed)
    assert leaks == (scenario in LEAKING)
