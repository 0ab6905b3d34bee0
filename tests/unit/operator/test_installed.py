"""What is said at the start of a KubeRay that drops fields which we set."""

import asyncio
import functools
import logging
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from extractor_operator import installed
from extractor_operator.errors import ApiError
from extractor_operator.kube import Client
from support.api_server import FakeClient

RENDERED = Path(__file__).parents[2] / "fixtures/rendered"
ROOT = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def definition(name: str, *, without: str = "", served: bool = True) -> dict[str, Any]:
    """Make a definition with the fields that are needed, but for one."""
    schema: dict[str, Any] = {}
    for field in (each for each in installed.NEEDED[name] if each != without):
        inner = schema
        for part in ("spec", *field.split(".")):
            inner = inner.setdefault("properties", {}).setdefault(part, {})
    version = {"name": "v1", "served": served, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": name.partition(".")[0]}
    return {"metadata": {"name": name}, "spec": {"names": names, "versions": [version]}}


def told(server: FakeClient, caplog: pytest.LogCaptureFixture) -> list[str]:
    with caplog.at_level(logging.INFO, logger="extractor_operator"):
        asyncio.run(installed.check(cast("Client", server)))
    return [record.getMessage() for record in caplog.records]


@pytest.fixture
def server() -> FakeClient:
    made = FakeClient()
    for name in installed.NEEDED:
        made.put(f"{ROOT}/{name}", definition(name))
    return made


def test_of_a_kuberay_that_has_all_nothing_is_said(
    server: FakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert told(server, caplog) == []


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        pytest.param(
            {"without": "preRunningDeadlineSeconds"}, "rayjobs.spec.preRunningDeadlineSeconds", id="a field"
        ),
        pytest.param(
            {"without": "rayClusterSpec.authOptions.mode"},
            "rayjobs.spec.rayClusterSpec.authOptions.mode",
            id="a field of a field",
        ),
        pytest.param({"served": False}, "rayjobs of ray.io/v1", id="the version"),
    ],
)
def test_what_kuberay_lacks_is_said_with_the_version_that_has_it(
    server: FakeClient, caplog: pytest.LogCaptureFixture, changes: dict[str, Any], want: str
) -> None:
    server.put(f"{ROOT}/rayjobs.ray.io", definition("rayjobs.ray.io", **changes))

    [said] = told(server, caplog)
    assert said == (f"the KubeRay that is installed drops {want}: install KubeRay 1.6 or later with its CRDs")


def test_who_may_not_read_definitions_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Forbidding(FakeClient):
        async def get(self, path: str) -> dict[str, Any]:
            raise ApiError("403 Forbidden")

    assert told(Forbidding(), caplog) == []


@pytest.mark.parametrize(
    ("name", "file"), [("rayjobs.ray.io", "rayjob"), ("rayservices.ray.io", "rayservice")]
)
def test_what_is_needed_is_what_is_rendered(name: str, file: str) -> None:
    spec = yaml.safe_load((RENDERED / f"{file}.yaml").read_text())["spec"]

    for field in installed.NEEDED[name]:
        functools.reduce(lambda value, part: value[part], field.split("."), spec)
