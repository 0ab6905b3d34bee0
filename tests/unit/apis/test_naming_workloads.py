"""Names of what KubeRay and the cluster run for us, and the Ray that they run with."""

import re
from pathlib import Path

import pytest

from extractor_apis import naming, settings

DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "readable",
    [
        pytest.param("text-embed-1.0.0", id="a version"),
        pytest.param("2026-11-23", id="what begins with a digit"),
        pytest.param("a" * 253, id="as long as a name may be"),
        pytest.param(f"{'a' * 35}.{'b' * 100}", id="a dot where it is cut"),
    ],
)
def test_a_workloads_name_is_one_that_kuberay_takes(readable: str) -> None:
    name = naming.workload_name(readable, "uid", "1")

    assert DNS_1035.fullmatch(name) and len(name) <= 47


def test_no_two_workloads_share_a_name() -> None:
    names = {naming.workload_name("a" * 100, uid, attempt) for uid in ("1", "11") for attempt in ("1", "11")}

    assert len(names) == 4


@pytest.mark.parametrize(
    ("extractor", "version", "want"),
    [
        pytest.param("text-embed", None, "text-embed-serve", id="an extractor's"),
        pytest.param("text-embed", "1.0.0", "text-embed-1-0-0-serve", id="a version's"),
    ],
)
def test_a_stable_service_is_named_after_what_answers(extractor: str, version: str | None, want: str) -> None:
    assert naming.service_name(extractor, version) == want


def test_long_names_of_services_are_cut_and_stay_apart() -> None:
    names = {
        naming.service_name(f"{'a' * 61}{last}", version)
        for last in "bc"
        for version in (None, "1.0.0", "999999999.1.1")
    }

    assert len(names) == 6
    assert all(DNS_1035.fullmatch(name) and len(name) <= 63 for name in names)


def test_the_platforms_ray_is_the_one_that_its_images_have() -> None:
    locked = (ROOT / "requirements/runtime.txt").read_text()

    assert f"\nray=={settings.RUNTIME_RAY} " in f"\n{locked}"
