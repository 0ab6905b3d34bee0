"""Extractors in a cluster, from `kubectl apply` to answers: what is rolled out, refused, and taken back.

The API server and the operator are real, and so are the pods' processes and Ray in them; KubeRay is ours.
"""

import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from support import kuberay, kuberay_world, operators, word_bags
from support.kuberay_world import World, condition, make

pytestmark = pytest.mark.e2e

EXTRACTOR = "words"
TEXTS = {"tea": "a hot drink made of leaves", "coffee": "beans are roasted and ground", "rain": "wet weather"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in which version 1.0.0 serves, and has been run over a collection."""
    with kuberay_world.run(tmp_path_factory.mktemp("world")) as world:
        world.version(EXTRACTOR, "1.0.0")
        world.apply(
            make("Extractor", EXTRACTOR, version="1.0.0", realtime={}),
            make(
                "Collection",
                "texts",
                extractor=EXTRACTOR,
                source=world.source("texts", TEXTS),
            ),
        )
        world.settled("Extractor", EXTRACTOR)
        yield world
        assert "Traceback" not in world.operator.log
        assert "403" not in world.operator.log, "the Role that is shipped is too small"


@pytest.fixture
def served(world: World) -> World:
    """The same, with version 1.0.0 active again, whatever became of a test before."""
    world.apply(make("Extractor", EXTRACTOR, version="1.0.0", realtime={}))
    item = world.settled("Extractor", EXTRACTOR)
    assert condition(item, "Ready")[0] == "True", item["status"]
    return world


def test_what_was_applied_is_ready_and_says_where_it_answers(world: World) -> None:
    item = world.settled("Extractor", EXTRACTOR)

    status = item["status"]
    assert operators.kstatus(item) == "Current"
    assert (status["activeVersion"], status["replicas"]) == ("1.0.0", 1)
    assert status["url"] == f"http://{EXTRACTOR}-serve.{world.namespace}.svc:8000/"
    assert (condition(item, "Available")[0], condition(item, "Ready")[0]) == ("True", "True")


def test_an_answer_names_the_version_that_gave_it(world: World) -> None:
    answer = world.ask(EXTRACTOR, "tea")

    assert (answer.status, answer.version) == (200, "1.0.0")
    assert len(answer.body["embedding"]) == 256


def test_the_collection_is_published_and_a_query_finds_the_right_text(world: World) -> None:
    item = world.settled("Collection", "texts")
    assert operators.kstatus(item) == "Current"
    assert (item["status"]["publishedVersion"], item["status"]["documents"]) == ("1.0.0", len(TEXTS))

    [hit] = world.search(EXTRACTOR, "how are beans ground?", limit=1)

    assert hit.object_id == "coffee.txt"


@pytest.mark.parametrize(
    ("version", "edits", "reason", "says"),
    [
        pytest.param(
            "1.1.0", word_bags.CONSTRUCTOR_RAISES, "DeployFailed", "the weights are not here", id="raises"
        ),
        pytest.param(
            "1.2.0", word_bags.REALTIME_DISAGREES, "ParityMismatch", "embedding", id="disagrees with itself"
        ),
    ],
)
def test_a_bad_version_is_never_promoted_and_the_good_one_answers_throughout(
    served: World, version: str, edits: dict[str, str], reason: str, says: str
) -> None:
    served.version(EXTRACTOR, version, edits)

    with served.asking(EXTRACTOR) as client:
        served.apply(make("Extractor", EXTRACTOR, version=version, realtime={}))
        item = served.wait("Extractor", EXTRACTOR, lambda item: operators.kstatus(item) == "Failed")

    message = next(each["message"] for each in item["status"]["conditions"] if each["type"] == "Stalled")
    assert condition(item, "Available")[0] == "True"
    assert (condition(item, "Ready"), condition(item, "Stalled")) == (("False", reason), ("True", reason))
    assert says in message
    assert item["status"]["activeVersion"] == "1.0.0"
    assert (client.failed, client.versions) == (0, {"1.0.0"})


def test_a_good_version_takes_over_and_rolling_back_starts_nothing(served: World) -> None:
    served.version(EXTRACTOR, "2.0.0")

    with served.asking(EXTRACTOR) as client:
        served.apply(make("Extractor", EXTRACTOR, version="2.0.0", realtime={}))
        served.wait("Extractor", EXTRACTOR, lambda item: item["status"].get("activeVersion") == "2.0.0")
        after = served.ask(EXTRACTOR, "tea").version
        services = served.names("RayService")
        served.apply(make("Extractor", EXTRACTOR, version="1.0.0", realtime={}))
        served.wait("Extractor", EXTRACTOR, lambda item: item["status"].get("activeVersion") == "1.0.0")

    assert (after, served.ask(EXTRACTOR, "tea").version) == ("2.0.0", "1.0.0")
    assert (client.failed, client.versions) == (0, {"1.0.0", "2.0.0"})
    assert served.names("RayService") == services


def test_a_lost_head_is_told_until_it_is_back_and_disturbs_no_other_version(served: World) -> None:
    before = {item["metadata"]["uid"]: item["metadata"]["generation"] for item in services(served)}
    workload = active(served.get("Extractor", EXTRACTOR))["workload"]

    served.local.service(served.namespace, workload).lose_head()
    down = served.wait("Extractor", EXTRACTOR, lambda item: condition(item, "Available")[0] == "False")
    answer = served.ask(EXTRACTOR, "tea")
    item = served.settled("Extractor", EXTRACTOR)
    with served.asking(EXTRACTOR) as client:
        time.sleep(1)

    assert condition(down, "Ready") == ("False", "Unhealthy")
    assert "none of its pods answers: those that were lost are made again" in str(
        down["status"]["conditions"]
    )
    assert (down["status"]["activeVersion"], answer.status) == ("1.0.0", 502)
    assert condition(item, "Ready") == ("True", "Succeeded")
    assert (client.failed, client.versions) == (0, {"1.0.0"})
    assert {each["metadata"]["uid"]: each["metadata"]["generation"] for each in services(served)} == before


def test_a_suspended_extractor_has_no_pods_and_answers_again_at_the_same_url(served: World) -> None:
    before = served.get("Extractor", EXTRACTOR)

    served.apply(make("Extractor", EXTRACTOR, version="1.0.0", realtime={}, suspend=True))
    asleep = served.wait("Extractor", EXTRACTOR, is_asleep)
    pods = (served.names("RayService"), served.ask(EXTRACTOR, "tea").status)
    served.apply(make("Extractor", EXTRACTOR, version="1.0.0", realtime={}, suspend=False))
    awake = served.wait("Extractor", EXTRACTOR, lambda item: condition(item, "Available")[0] == "True")

    assert pods == ([], 502)
    assert "url" not in asleep["status"] and operators.kstatus(asleep) == "Current"
    assert (awake["status"]["activeVersion"], awake["status"]["url"]) == ("1.0.0", before["status"]["url"])
    assert served.ask(EXTRACTOR, "tea").version == "1.0.0"
    ours = [name for name in served.names("RayService") if name.startswith(f"{EXTRACTOR}-1-0-0")]
    assert ours == [active(before)["workload"]], "the same one comes back, and no second one"


def is_asleep(item: dict[str, Any]) -> bool:
    """Tell whether an extractor says that it is suspended, and nothing of it is left."""
    return (condition(item, "Available"), condition(item, "Ready")) == (
        ("False", "Suspended"),
        ("True", "Succeeded"),
    )


def active(item: dict[str, Any]) -> dict[str, Any]:
    """Give what the status says of the version that answers."""
    found: dict[str, Any] = next(each for each in item["status"]["served"] if each["active"])
    return found


def services(world: World) -> list[dict[str, Any]]:
    """Give the RayServices."""
    return list(world.local.api.list(kuberay.path("RayService", world.namespace)))


def test_deletion_ends_with_the_operator_gone(served: World) -> None:
    served.operator.end(signal.SIGKILL)

    for kind in ("collection", "extractor", "extractorrun", "extractorversion"):
        served.cluster.kubectl("delete", kind, "--all", "--namespace", served.namespace, "--timeout=20s")

    operators.eventually(
        lambda: [*served.names("RayService"), *served.names("RayJob"), *served.names("RayCluster")],
        lambda left: not left,
    )
    assert served.ask(EXTRACTOR, "tea").status == 502, "nothing is behind the Service any more"
