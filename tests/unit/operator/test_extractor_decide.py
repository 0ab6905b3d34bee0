"""Which RayServices of an extractor are to be, and which answer, as an extractor lives through changes."""

import dataclasses
import datetime
import random
from typing import Any

import pytest

from extractor_apis.conditions import Reason
from extractor_apis.extractor import Extractor, ExtractorStatus, Realtime
from extractor_operator.errors import Waiting
from extractor_operator.extractors import decide, outcome, plan, status
from extractor_operator.extractors.decide import Decision
from extractor_operator.extractors.rollouts import ATTEMPTS
from extractor_operator.extractors.scene import Found, Scene, Wanted
from extractor_operator.kuberay.service import ServiceObservation, ServicePhase
from support import workloads

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
STARTING = ServiceObservation(ServicePhase.STARTING, Reason.STARTING, "it starts")
RAISES = ServiceObservation(ServicePhase.FAILED, Reason.DEPLOY_FAILED, "its constructor raised")
TIMED_OUT = ServiceObservation(
    ServicePhase.FAILED, Reason.IMAGE_PULL_FAILED, "it did not start: no such image", is_final=True
)
NO_GPU = ServiceObservation(ServicePhase.STARTING, Reason.UNSCHEDULABLE, "1 more nvidia.com/gpu is needed")


def running(name: str) -> ServiceObservation:
    return ServiceObservation(
        ServicePhase.RUNNING,
        Reason.RUNNING,
        "it is running",
        answers=True,
        is_settled=True,
        cluster_name=f"{name}-cluster",
        replicas=1,
    )


class World:
    """An extractor, and RayServices that are as a test says."""

    def __init__(self, version: str = "1.0.0", **realtime: Any) -> None:
        self.version, self.realtime = version, Realtime.model_validate(realtime)
        self.template, self.config = "a", "one"
        self.published: frozenset[str] = frozenset()
        self.unrunnable: set[str] = set()
        self.found: dict[str, Found] = {}
        self.status = ExtractorStatus()
        self.now = START

    def name(self, version: str) -> str:
        """Name the RayService of a version, as the spec is now."""
        return f"{version}-{self.template}"

    @property
    def scene(self) -> Scene:
        versions = {self.version, *self.published} - self.unrunnable
        return Scene(
            namespace="team-a",
            extractor="text",
            version=self.version,
            realtime=self.realtime,
            published=self.published,
            wanted={
                each: Wanted(each, self.name(each), self.config, 2, 2, "nvidia.com/gpu") for each in versions
            },
            found=dict(self.found),
            status=self.status,
            now=self.now,
        )

    def decide(self) -> Decision:
        """Decide once, and do it."""
        scene = self.scene
        decision = decide.decide(scene)
        self.status = status.draft(scene, decision, plan.sentence(scene, decision))
        for each in decision.starts:
            self.found[each.name] = Found(each.name, each.version, STARTING, config=each.config)
        for edit in decision.edits:
            known = self.found[edit.wanted.name]
            self.found[edit.wanted.name] = dataclasses.replace(
                known,
                observed=dataclasses.replace(
                    known.observed, phase=ServicePhase.STARTING, reason=Reason.STARTING, is_settled=False
                ),
                config=edit.config,
                good=edit.good,
                refused=edit.refused,
            )
        for name in decision.removes:
            del self.found[name]
        return decision

    def settle(self) -> Decision:
        """Decide until nothing more is asked for; give that last decision."""
        for _ in range(10):
            decision = self.decide()
            if not (decision.starts or decision.edits or decision.removes):
                return decision
        raise AssertionError(f"it comes to no end: {decision}")

    def see(self, version: str, observed: ServiceObservation | None = None) -> None:
        """Have a version's RayService be as told, or run."""
        name = self.name(version)
        self.found[name] = dataclasses.replace(self.found[name], observed=observed or running(name))

    def run(self, version: str) -> "World":
        """Ask for a version, and have it answer."""
        self.version = version
        self.settle()
        self.see(version)
        self.settle()
        return self

    def wait(self, seconds: float) -> None:
        self.now += datetime.timedelta(seconds=seconds)

    @property
    def active(self) -> tuple[str, str] | None:
        """Give the version that answers, and its RayService."""
        return next(((each.version, each.workload) for each in self.status.served if each.active), None)

    def says(self, waiting: Waiting | None = None) -> dict[str, tuple[str, str]]:
        """Give what the conditions say now."""
        scene = self.scene
        made = outcome.of(scene, decide.decide(scene), waiting)
        extractor = Extractor.model_validate(
            workloads.make_extractor(version=self.version).model_dump(by_alias=True)
        )
        said = status.render(extractor, self.status, made, now="2026-01-01T00:00:00Z")
        return {each.type: (each.reason, each.message) for each in said.conditions}


def test_the_first_version_starts_and_answers_once_it_has_settled() -> None:
    world = World()

    [started] = world.decide().starts
    assert (started.name, world.active) == ("1.0.0-a", None)

    world.see("1.0.0", dataclasses.replace(running("x"), is_settled=False))
    world.settle()
    assert world.active is None

    world.see("1.0.0")
    world.settle()
    assert world.active == ("1.0.0", "1.0.0-a")
    assert [(each.service, each.cluster) for each in world.status.served] == [
        ("text-serve", "1.0.0-a-cluster")
    ]


def test_the_version_before_answers_until_the_new_one_does_and_is_kept_warm_then() -> None:
    world = World(keepWarmSeconds=600).run("1.0.0")
    world.version = "2.0.0"

    world.settle()
    assert world.active == ("1.0.0", "1.0.0-a")
    assert set(world.found) == {"1.0.0-a", "2.0.0-a"}

    world.see("2.0.0")
    world.settle()
    assert world.active == ("2.0.0", "2.0.0-a")
    assert set(world.found) == {"1.0.0-a", "2.0.0-a"}

    world.wait(601)
    world.settle()
    assert set(world.found) == {"2.0.0-a"}


def test_rolling_back_to_a_version_that_is_warm_starts_nothing() -> None:
    world = World().run("1.0.0").run("2.0.0")
    world.version = "1.0.0"

    decision = world.decide()

    assert (decision.starts, world.active) == ((), ("1.0.0", "1.0.0-a"))
    assert [each.version for each in world.status.warm] == ["2.0.0"]


def test_a_version_that_fails_changes_nothing_for_the_one_that_answers_and_goes_with_the_spec() -> None:
    world = World().run("1.0.0")
    world.version = "2.0.0"
    world.settle()
    world.see("2.0.0", RAISES)

    world.settle()
    assert world.active == ("1.0.0", "1.0.0-a")

    world.version = "1.0.0"
    world.settle()
    assert (world.active, set(world.found)) == (("1.0.0", "1.0.0-a"), {"1.0.0-a"})


def test_an_edit_that_makes_other_pods_starts_them_beside_and_the_old_ones_go_after_a_grace() -> None:
    world = World(keepWarmSeconds=0).run("1.0.0")
    world.template = "b"

    world.settle()
    assert world.active == ("1.0.0", "1.0.0-a")

    world.see("1.0.0")
    world.settle()
    assert (world.active, set(world.found)) == (("1.0.0", "1.0.0-b"), {"1.0.0-a", "1.0.0-b"})

    world.wait(61)
    world.settle()
    assert set(world.found) == {"1.0.0-b"}


def test_a_version_whose_vectors_are_published_answers_under_a_service_of_its_own() -> None:
    world = World().run("1.0.0")
    world.published = frozenset({"1.0.0"})
    world.run("2.0.0")

    world.wait(10_000)
    world.settle()

    assert [(each.version, each.service, each.active) for each in world.status.served] == [
        ("2.0.0", "text-serve", True),
        ("1.0.0", "text-1-0-0-serve", False),
    ]
    world.published = frozenset()
    world.settle()
    world.wait(61)
    world.settle()
    assert set(world.found) == {"2.0.0-a"}


def test_a_published_version_that_nobody_has_started_yet_is_started() -> None:
    world = World().run("2.0.0")
    world.published = frozenset({"1.0.0"})

    assert [each.version for each in world.decide().starts] == ["1.0.0"]
    assert world.says()["Reconciling"][1].startswith(
        "1.0.0, whose vectors are still published, does not answer"
    )


def test_recreate_ends_what_answers_before_anything_starts() -> None:
    world = World(strategy="Recreate").run("1.0.0")
    world.version = "2.0.0"

    decision = world.decide()
    assert (decision.starts, decision.removes, decision.replaces) == ((), ("1.0.0-a",), True)

    assert [each.version for each in world.decide().starts] == ["2.0.0"]


def test_recreate_waits_for_the_old_one_to_be_gone() -> None:
    world = World(strategy="Recreate").run("1.0.0")
    world.version = "2.0.0"
    old = world.found["1.0.0-a"]
    world.decide()
    world.found["1.0.0-a"] = dataclasses.replace(old, is_going=True)

    assert world.decide().starts == ()


def test_recreate_ends_nothing_for_a_version_that_cannot_be_run() -> None:
    world = World(strategy="Recreate").run("1.0.0")
    world.version, world.unrunnable = "2.0.0", {"2.0.0"}

    decision = world.decide()

    assert (decision.removes, world.active) == ((), ("1.0.0", "1.0.0-a"))


def test_what_is_kept_warm_goes_at_once_if_its_room_is_needed() -> None:
    world = World().run("1.0.0").run("2.0.0")
    world.version = "3.0.0"
    world.settle()
    world.see("3.0.0", NO_GPU)

    world.settle()

    assert set(world.found) == {"2.0.0-a", "3.0.0-a"}
    reason, message = world.says()["Reconciling"]
    assert reason == "UpgradeBlocked"
    assert "set spec.realtime.strategy to Recreate" in message


def test_what_kuberay_gave_up_is_made_anew_a_few_times_and_its_cause_stays() -> None:
    world = World()
    made = 0
    for _ in range(3 * ATTEMPTS):
        made += len(world.decide().starts)
        if world.found:
            world.see("1.0.0", TIMED_OUT)

    assert made == ATTEMPTS
    world.see(
        "1.0.0", dataclasses.replace(TIMED_OUT, reason=Reason.DEADLINE_EXCEEDED, message="nothing known")
    )
    world.settle()
    assert world.says()["Stalled"] == ("ImagePullFailed", "1.0.0: it did not start: no such image")


def test_what_an_authors_code_raised_is_not_tried_again_and_still_told_when_its_pods_are_gone() -> None:
    world = World()
    world.settle()
    world.see("1.0.0", RAISES)
    world.settle()
    world.see("1.0.0", TIMED_OUT)

    decision = world.settle()

    assert decision.removes == ()
    assert world.says()["Stalled"] == ("DeployFailed", "1.0.0: its constructor raised")


def test_what_serve_takes_in_place_is_changed_in_place() -> None:
    world = World().run("1.0.0")
    world.config = "two"

    [edit] = world.decide().edits

    assert (edit.config, edit.good, edit.refused) == ("two", "one", None)
    assert not world.decide().starts


def test_an_edit_that_fails_is_put_back_and_not_tried_again_until_it_is_another() -> None:
    world = World().run("1.0.0")
    world.config = "two"
    world.settle()
    refused = dataclasses.replace(
        running("1.0.0-a"),
        phase=ServicePhase.FAILED,
        reason=Reason.CONFIG_REFUSED,
        message="Serve refuses it",
        is_settled=False,
    )
    world.see("1.0.0", refused)

    world.settle()
    world.see("1.0.0")
    world.settle()
    assert world.found["1.0.0-a"].config == "one"
    assert world.says()["Stalled"][0] == "ConfigRefused"
    assert world.active == ("1.0.0", "1.0.0-a")

    world.config = "three"
    world.settle()
    assert world.found["1.0.0-a"].config == "three"


def test_what_fails_long_after_an_edit_is_not_the_edits_fault() -> None:
    world = World().run("1.0.0")
    world.config = "two"
    world.settle()
    world.see("1.0.0")
    world.settle()

    world.see("1.0.0", RAISES)

    assert world.decide().edits == ()
    assert world.found["1.0.0-a"].config == "two"


def test_an_edit_is_not_ready_from_the_moment_on_when_it_is_made() -> None:
    world = World().run("1.0.0")
    world.config = "two"

    assert world.says()["Reconciling"][0] == "Starting"


def test_a_name_that_is_not_free_yet_is_waited_for() -> None:
    world = World()
    world.found["1.0.0-a"] = Found("1.0.0-a", "1.0.0", STARTING, is_going=True)

    assert world.decide().starts == ()


@pytest.mark.parametrize(
    ("change", "want"),
    [
        pytest.param(
            {},
            "start 2.0.0: 2 pods and a head with 2 nvidia.com/gpu more, beside 1.0.0, which keeps "
            "its own for 10 min after this one answers",
            id="beside",
        ),
        pytest.param(
            {"strategy": "Recreate"},
            "start 2.0.0: 2 pods and a head with 2 nvidia.com/gpu, once what "
            "answered before has ended; nobody answers meanwhile",
            id="instead",
        ),
    ],
)
def test_the_plan_says_what_a_change_takes_before_it_takes_it(change: dict[str, Any], want: str) -> None:
    world = World(**change).run("1.0.0")
    world.version = "2.0.0"
    scene = world.scene

    assert plan.sentence(scene, decide.decide(scene)) == want


def test_nothing_is_planned_once_all_is_as_asked() -> None:
    world = World().run("1.0.0")

    assert world.status.plan is None


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_what_answers_is_never_removed(seed: int) -> None:
    chance, world = random.Random(seed), World(keepWarmSeconds=30).run("1.0.0")
    for _ in range(60):
        before = world.active
        world.version = chance.choice(["1.0.0", "2.0.0", "3.0.0"])
        world.template = chance.choice(["a", "a", "b"])
        world.published = frozenset(chance.sample(["1.0.0", "2.0.0"], chance.randrange(3)))
        world.unrunnable = set(chance.sample(["2.0.0", "3.0.0"], chance.randrange(3)))
        world.wait(chance.choice([1, 10, 100]))
        for name, found in world.found.items():
            said = chance.choice([STARTING, RAISES, TIMED_OUT, NO_GPU, running(name)])
            is_served = name in {each.workload for each in world.status.served}
            world.found[name] = dataclasses.replace(found, observed=running(name) if is_served else said)

        decision = world.decide()

        assert before is None or world.active is not None
        assert not {each.workload for each in world.status.served} & set(decision.removes)
