"""How a RayService is read where no recording shows it: parity, unhealthy parts, queues, deadlines."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from extractor_apis.conditions import Reason
from extractor_operator.kuberay.service import ServiceObservation, ServicePhase, observe_service

Json = dict[str, Any]

T0 = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
FOREVER = 10 * 86_400


def sign(type: str, status: bool, reason: str, after: float = 0) -> Json:
    at = (T0 + timedelta(seconds=after)).isoformat()
    return {"type": type, "status": str(status), "reason": reason, "lastTransitionTime": at}


def applications(status: str, message: str = "", deployment: str = "") -> Json:
    deployments = {"d": {"status": status, "message": deployment}}
    return {"a": {"status": status, "message": message, "serveDeploymentStatuses": deployments}}


def service(
    *, spec: Json | None = None, labels: Json | None = None, ready_after: float = 20, **status: Any
) -> Json:
    """Make a RayService that was created at T0 and has been ready, unless its status says otherwise."""
    ready = [sign("Ready", True, "NonZeroServeEndpoints", ready_after)]
    known = {"conditions": ready, "numServeEndpoints": 2, "observedGeneration": 2}
    metadata = {"name": "s", "generation": 2, "creationTimestamp": T0.isoformat(), "labels": labels or {}}
    return {"metadata": metadata, "spec": spec or {}, "status": known | status}


def active(status: str, message: str = "", deployment: str = "") -> Json:
    told = applications(status, message, deployment)
    return {"activeServiceStatus": {"rayClusterName": "s-a", "applicationStatuses": told}}


def pending(**more: Any) -> Json:
    initial = [sign("Ready", False, "Initializing")]
    return {"conditions": initial, "pendingServiceStatus": {"rayClusterName": "s-p", **more}}


def look(seen: Json, *, after: float = 60, edited: float | None = None) -> ServiceObservation:
    at = None if edited is None else T0 + timedelta(seconds=edited)
    return observe_service(seen, None, [], edited=at, now=T0 + timedelta(seconds=after), start_seconds=600)


def test_what_runs_and_was_not_edited_is_settled() -> None:
    observed = look(service(**active("RUNNING")))

    assert observed == ServiceObservation(
        ServicePhase.RUNNING,
        Reason.RUNNING,
        "it is running",
        answers=True,
        is_settled=True,
        cluster_name="s-a",
        replicas=2,
        config_observed=True,
    )


@pytest.mark.parametrize("status", [None, {}, {"conditions": None, "activeServiceStatus": None}])
def test_a_service_of_which_nothing_is_said_starts(status: Json | None) -> None:
    observed = look({"metadata": {"name": "s"}, "spec": None, "status": status})

    assert (observed.phase, observed.answers) == (ServicePhase.STARTING, False)


@pytest.mark.parametrize(
    ("told", "reason", "want"),
    [
        pytest.param(
            applications(
                "DEPLOY_FAILED",
                "Failed to update the deployments ['d'].",
                "Traceback …\nParityMismatch: embedding of row 1 differs by 0.3; 0.001 is allowed",
            ),
            Reason.PARITY_MISMATCH,
            "batch and realtime disagree: embedding of row 1 differs by 0.3; 0.001 is allowed",
            id="batch and realtime disagree",
        ),
        pytest.param(
            applications(
                "DEPLOY_FAILED",
                deployment="…\nextractor_runtime.errors.AuthorError: realtime.py:12: no model\n",
            ),
            Reason.DEPLOY_FAILED,
            "its application cannot be deployed: realtime.py:12: no model",
            id="an error of ours",
        ),
        pytest.param(
            applications("DEPLOY_FAILED"),
            Reason.DEPLOY_FAILED,
            "its application cannot be deployed: Ray Serve does not say why",
            id="without a word",
        ),
    ],
)
def test_an_application_that_cannot_be_deployed_says_why(told: Json, reason: Reason, want: str) -> None:
    observed = look(service(**pending(applicationStatuses=told)))

    assert (observed.phase, observed.reason, observed.message) == (ServicePhase.FAILED, reason, want)
    assert not observed.answers


def test_an_unhealthy_application_answers_and_is_not_settled() -> None:
    observed = look(service(**active("UNHEALTHY")))

    assert (observed.phase, observed.reason) == (ServicePhase.DEGRADED, Reason.UNHEALTHY)
    assert (observed.answers, observed.is_settled) == (True, False)


@pytest.mark.parametrize("status", ["DEPLOYING", "NOT_STARTED", "DELETING", "PONDERING"])
def test_an_application_that_is_not_running_is_not_settled(status: str) -> None:
    observed = look(service(**active(status)))

    assert not observed.is_settled
    assert not observed.answers


def test_replicas_of_before_an_edit_answer_while_it_is_rolled_out() -> None:
    observed = look(service(**active("DEPLOYING")), edited=50)

    assert (observed.phase, observed.answers, observed.is_settled) == (ServicePhase.STARTING, True, False)


@pytest.mark.parametrize("edited", [None, 50])
def test_what_serve_deploys_again_by_itself_answers_and_is_not_given_up(edited: float | None) -> None:
    observed = look(service(**active("DEPLOYING")), edited=edited, after=FOREVER)

    assert (observed.phase, observed.answers, observed.is_settled) == (ServicePhase.STARTING, True, False)


def test_an_edit_that_is_never_rolled_out_is_given_up_while_what_was_before_answers() -> None:
    looks = [look(service(**active("DEPLOYING")), edited=50, after=seconds) for seconds in (649, 650)]

    assert [(each.phase, each.answers, each.is_final) for each in looks] == [
        (ServicePhase.STARTING, True, False),
        (ServicePhase.FAILED, True, False),
    ]


def test_what_was_edited_before_the_head_was_lost_does_not_answer_yet() -> None:
    observed = look(service(ready_after=55, **active("DEPLOYING")), edited=30)

    assert (observed.phase, observed.answers) == (ServicePhase.DEGRADED, False)


def test_an_edit_is_not_settled_for_five_seconds() -> None:
    looks = [look(service(**active("RUNNING")), edited=50, after=seconds) for seconds in (54.9, 55)]

    assert [each.is_settled for each in looks] == [False, True]
    assert looks[0].valid_until == T0 + timedelta(seconds=55)


def test_a_service_in_a_queue_says_so() -> None:
    suspended: Json = {"conditions": [sign("Suspended", True, "SuspendComplete")], "numServeEndpoints": 0}
    observed = look(service(spec={"suspend": True}, labels={"kueue.x-k8s.io/queue-name": "q"}, **suspended))

    assert (observed.phase, observed.reason) == (ServicePhase.SUSPENDED, Reason.QUEUED)
    assert observed.message == "it waits in the queue q until Kueue lets it start"


def test_a_service_that_was_suspended_for_long_has_its_whole_time_to_start() -> None:
    resumed: list[Json] = [
        {"conditions": [sign("Ready", False, "SuspendComplete"), sign("Suspended", True, "SuspendComplete")]},
        pending() | {"conditions": [sign("Ready", False, "Initializing", FOREVER)]},
    ]

    phases = [look(service(**status), after=FOREVER + 1).phase for status in resumed]

    assert phases == [ServicePhase.STARTING] * 2


def test_what_never_started_is_given_up_and_what_ran_once_is_not() -> None:
    lost = active("RUNNING") | {"conditions": [sign("Ready", False, "ZeroServeEndpoints", 20)]}

    looks = [look(service(**status), after=620) for status in (pending(), lost)]

    assert [(each.phase, each.is_final) for each in looks] == [
        (ServicePhase.FAILED, True),
        (ServicePhase.FAILED, False),
    ]


def test_what_answers_is_not_given_up_for_what_does_not_start_beside_it() -> None:
    upgrading = active("RUNNING") | {"pendingServiceStatus": {"rayClusterName": "s-p"}}

    observed = look(service(**upgrading), after=10_000)

    assert (observed.phase, observed.is_final, observed.answers) == (ServicePhase.FAILED, False, True)


def test_an_edit_gives_what_does_not_start_its_whole_time_again() -> None:
    looks = [look(service(**pending()), after=seconds, edited=300) for seconds in (899, 900)]

    assert [each.phase for each in looks] == [ServicePhase.STARTING, ServicePhase.FAILED]


def test_kuberay_that_does_not_act_is_noticed_after_30_s_and_given_up_at_the_deadline() -> None:
    untouched = service()
    untouched["status"] = {}

    looks = [look(untouched, after=seconds) for seconds in (29, 30, 600)]

    assert [(each.reason, each.is_final) for each in looks] == [
        (Reason.STARTING, False),
        (Reason.NOT_TAKEN_UP, False),
        (Reason.NOT_TAKEN_UP, True),
    ]


def test_an_edit_by_somebody_else_that_kuberay_does_not_take_up_is_never_settled() -> None:
    seen = service(**active("RUNNING"), observedGeneration=1)

    observed = look(seen, after=FOREVER)

    assert (observed.phase, observed.is_settled, observed.answers) == (ServicePhase.STARTING, False, True)


def test_pods_are_read_only_when_a_healthy_start_would_be_over() -> None:
    selectors = [look(service(**pending()), after=seconds).pods_to_read for seconds in (19, 20)]

    assert selectors == [None, "ray.io/cluster=s-p"]
