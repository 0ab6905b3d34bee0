"""What a Job that makes an environment hands in: always the same bytes, or why there are none."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from extractor_apis.packages import PackageIndex
from extractor_apis.settings import Cluster, Settings
from extractor_artifacts import unpack
from extractor_artifacts.environments.order import Made
from extractor_operator.endpoint.capability import Verb
from extractor_operator.versions import environment_job, job
from extractor_operator.versions.environment_job import Wish
from support import exchanges, package_index, pods
from support.package_index import PackageServer

pytestmark = pytest.mark.integration

SECONDS = 60


@dataclass(frozen=True)
class World:
    """An index, an endpoint that is waiting, and a place for the pod."""

    index: PackageServer
    endpoint: exchanges.World
    folder: Path

    def make(self, *requirements: str) -> tuple[int, str]:
        """Run the container of the rendered Job; give its status and what it said."""
        self.endpoint.errands.close("uid-1", Verb.ENVIRONMENT)
        self.endpoint.errands.open("uid-1", Verb.ENVIRONMENT, "now", {})
        if self.folder.exists():
            unpack.remove(self.folder)
        cluster = Cluster(runtime_image="x", endpoint=self.endpoint.url, results="file:///results")
        settings = Settings(cluster=cluster, packages=PackageIndex(url=self.index.url))
        wish = Wish(exchanges.version("uid-1"), requirements, None)
        made = environment_job.describe(wish, "now", settings, self.endpoint.capabilities)
        secret = {name: value.encode() for name, value in made.secret.items()}
        template = job.render_job(made)["spec"]["template"]
        laid = pods.lay_out(template, self.folder, secrets=lambda _: secret)
        code = laid.run("environment", self.folder / "log", SECONDS)
        return code, (self.folder / "log").read_text()

    def handed_in(self, name: str) -> bytes | None:
        errand = self.endpoint.errands.find("uid-1", Verb.ENVIRONMENT)
        file = errand and errand.file(name)
        return file.read_bytes() if file else None


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    wheels = tmp_path / "wheels"
    package_index.wheel(wheels, "alpha", requires=["beta"])
    package_index.wheel(wheels, "beta")
    with package_index.serve(wheels) as index, exchanges.run(tmp_path) as endpoint:
        endpoint.add("uid-1")
        yield World(index, endpoint, tmp_path / "pod")
    # Its folders are read-only.
    unpack.remove(tmp_path / "pod")


def test_the_same_requirements_are_the_same_bytes(world: World) -> None:
    found = []
    for _ in range(2):
        assert world.make("alpha")[0] == 0
        found.append(world.handed_in("environment"))

    made = Made.model_validate_json(world.handed_in("environment-report") or b"")
    assert found[0] == found[1] is not None
    assert (made.conflict, made.packages, made.archive_size) == (None, 2, len(found[0] or b""))


def test_a_conflict_is_an_answer(world: World) -> None:
    code, said = world.make("alpha>=5")

    report = json.loads(world.handed_in("environment-report") or b"{}")
    assert (code, said) == (0, "")
    assert "alpha" in report["conflict"] and report["digest"] is None
    assert world.handed_in("environment") is None


def test_an_index_that_is_down_is_told_in_one_line(world: World) -> None:
    world.index.status = 503

    code, said = world.make("alpha")

    assert code == 1
    assert said.count("\n") == 1 and "check that the package index answers" in said
    assert world.handed_in("environment-report") is None and world.endpoint.arrived == []
