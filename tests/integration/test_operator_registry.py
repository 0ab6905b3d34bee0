"""Versions whose archive, or image, is in an OCI registry: tags are resolved once, and pinned."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support import kubernetes, oci_registry, operators
from support.kubernetes import Cluster
from support.oci_registry import Registry

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class World:
    """An operator at work on one namespace, and a registry."""

    cluster: Cluster
    namespace: str
    registry: Registry
    url: str
    web: Path

    def settled(self, item: dict[str, Any]) -> dict[str, Any]:
        operators.create(self.cluster, self.namespace, item)
        return operators.eventually(
            lambda: operators.get(self.cluster, self.namespace, item),
            lambda seen: operators.kstatus(seen) != "InProgress",
        )

    def make_version(self, extractor: str, **spec: Any) -> dict[str, Any]:
        archive = operators.make_archive(extractor)
        (self.web / f"{extractor}.zip").write_bytes(archive)
        item = operators.make_version(extractor, f"{self.url}/{extractor}.zip", archive)
        item["spec"] |= spec
        return item


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("operator")
    with (
        oci_registry.oci_registry() as registry,
        operators.web(folder / "web") as url,
        kubernetes.cluster(folder / "kubernetes") as cluster,
        cluster.namespace() as namespace,
    ):
        operators.install(cluster)
        kubeconfig = operators.log_in(cluster, namespace)
        prefixes = [f"{registry.host}/plugins-{{namespace}}/"]
        with operators.run(cluster, namespace, kubeconfig, folder, image_prefixes=prefixes):
            yield World(cluster, namespace, registry, url, folder / "web")


def test_an_artifact_is_ready_under_the_digest_that_its_tag_had(world: World) -> None:
    archive = operators.make_archive("from-oci")
    digest = world.registry.push_layers("extractors/from-oci", "1.0.0", {archive: "application/zip"})
    item = world.make_version(
        "from-oci", source={"oci": {"reference": f"{world.registry.host}/extractors/from-oci:1.0.0"}}
    )

    seen = world.settled(item)

    assert operators.ready(seen) == ("True", "Succeeded")
    assert seen["status"]["source"]["resolved"].endswith(f"/extractors/from-oci:1.0.0@{digest}")
    assert seen["status"]["source"]["size"] == len(archive)


def test_an_image_from_an_allowed_place_is_pinned(world: World) -> None:
    image = f"plugins-{world.namespace}/tools"
    digest = world.registry.push(image, "2", b"a layer")
    item = world.make_version("with-image", image=f"{world.registry.host}/{image}:2")

    status = world.settled(item)["status"]

    assert status["environment"]["image"] == f"{world.registry.host}/{image}:2@{digest}"


def test_an_image_from_elsewhere_is_refused(world: World) -> None:
    item = world.make_version("elsewhere", image=f"{world.registry.host}/plugins-of-others/tools:2")

    seen = world.settled(item)

    message = seen["status"]["conditions"][0]["message"]
    assert operators.ready(seen) == ("False", "ImageRefused")
    assert f"({world.registry.host}/plugins-{world.namespace}/)" in message


def test_an_image_that_is_not_there_is_said_to_be(world: World) -> None:
    item = world.make_version("absent", image=f"{world.registry.host}/plugins-{world.namespace}/absent:1")

    seen = world.settled(item)

    assert operators.ready(seen) == ("False", "NotFound")
