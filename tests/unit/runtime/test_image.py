"""An image runs the platform's workloads if it has the platform's Ray and Python, and says so if not."""

import pytest

from extractor_apis.workload import Platform
from extractor_runtime import image

PLATFORM = Platform(ray="2.60.0", python="3.11")


@pytest.mark.parametrize(
    ("ray", "python", "want_has"),
    [
        pytest.param("2.59.1", "3.11", "Ray 2.59.1 and Python 3.11", id="another Ray"),
        pytest.param("2.60.0", "3.12", "Ray 2.60.0 and Python 3.12", id="another Python"),
        pytest.param(None, "3.11", "no Ray and Python 3.11", id="no Ray"),
    ],
)
def test_a_refusal_says_what_there_is_and_what_the_platform_runs(
    ray: str | None, python: str, want_has: str
) -> None:
    assert image.refuse(PLATFORM, ray, python) == (
        f"this image has {want_has}, but the platform runs Ray 2.60.0 and Python 3.11: "
        "build it again from the platform's runtime image"
    )


def test_the_platforms_own_versions_are_not_refused() -> None:
    assert image.refuse(PLATFORM, "2.60.0", "3.11") is None


def test_what_runs_here_is_held_against_what_the_platform_runs() -> None:
    here = image.describe()
    assert here.ray

    image.check(None)
    image.check(Platform(ray=here.ray, python=here.python))
    with pytest.raises(image.UnfitImage, match="the platform runs Ray 0"):
        image.check(Platform(ray="0", python=here.python))
