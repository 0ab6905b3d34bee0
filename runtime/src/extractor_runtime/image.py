"""What the image that this process runs in has, and whether workloads of the platform can run in it.

The processes of a Ray cluster have one Ray and one Python, and an environment was built for one Python. Where
they differ, Ray says so late and in words of its own: so every entry point asks here first.
`python -m extractor_runtime.image` prints what there is.
"""

import dataclasses
import json
import platform
from dataclasses import dataclass
from importlib import metadata

from extractor_apis.workload import Platform
from extractor_artifacts import environments
from extractor_runtime.errors import RunError

_PYTHON = ".".join(platform.python_version_tuple()[:2])
_ROOMS = ("apis", "artifacts", "stores", "runtime")


class UnfitImage(RunError):
    """The image lacks what the platform runs: no retry helps, only another image."""


@dataclass(frozen=True)
class Image:
    """What an image has."""

    python: str
    abi: str
    """What compiled wheels have to fit: ``cpython-311-x86_64-linux-gnu``."""
    ray: str | None
    rooms: dict[str, str]
    """Versions of our own distributions."""
    distributions: str
    """Names everything that is installed: equal where environments can be shared."""


def check(wanted: Platform | None) -> None:
    """Raise UnfitImage unless this process has the Ray and the Python that the platform runs."""
    refusal = refuse(wanted, _version("ray"), _PYTHON) if wanted else None
    if refusal:
        raise UnfitImage(refusal)


def refuse(wanted: Platform, ray: str | None, python: str) -> str | None:
    """Say why workloads of the platform cannot run with a Ray and a Python; None if they can."""
    if (ray, python) == (wanted.ray, wanted.python):
        return None
    return (
        f"this image has {f'Ray {ray}' if ray else 'no Ray'} and Python {python}, but the platform runs "
        f"Ray {wanted.ray} and Python {wanted.python}: build it again from the platform's runtime image"
    )


def describe() -> Image:
    """Say what this process can import."""
    return Image(
        python=_PYTHON,
        abi=environments.Python.running().abi,
        ray=_version("ray"),
        rooms={name: metadata.version(name) for name in (f"extractor-{room}" for room in _ROOMS)},
        distributions=environments.image_digest(environments.installed()),
    )


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    print(json.dumps(dataclasses.asdict(describe())))
