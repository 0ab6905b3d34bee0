"""Extractors in a cluster, from `kubectl apply` to answers: what is rolled out, refused, and taken back.

The API server and the operator are real, and so are the pods' processes and Ray in them; KubeRay is ours.
"""

import signal
from collections.abc import Iterator

import pytest

from support import kuberay_world, operators, word_bags
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


def test_deletion_ends_with_the_operator_gone(served: World) -> None:
    served.operator.end(signal.SIGKILL)

    for kind in ("collection", "extractor", "extractorrun", "extractorversion"):
        served.cluster.kubectl("delete", kind, "--all", "--namespace", served.namespace, "--timeout=20s")

    operators.eventually(
        lambda: [*served.names("RayService"), *served.names("RayJob"), *served.names("RayCluster")],
        lambda left: not left,
    )
    assert served.ask(EXTRACTOR, "tea").status == 502, "nothing is behind the Service any more"
