"""The images that `make images` built, run as pods run them: by a user who owns nothing there."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / ".cache/images"
USER = 65532
ENVIRONMENT = {
    **os.environ,
    "CONTAINERS_STORAGE_CONF": str(FOLDER / "storage.conf"),
    "BUILDAH_ISOLATION": "chroot",
    "TMPDIR": str(FOLDER / "tmp"),
}
_SECONDS = 240


@dataclass(frozen=True)
class Container:
    """A container of an image, which keeps what is written in it until its block ends."""

    name: str

    def run(
        self, *command: str, volumes: Mapping[Path, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in it; ``volumes`` says where folders are mounted, ``:ro`` if only to be read."""
        mounts = [f"--volume={folder}:{target}" for folder, target in (volumes or {}).items()]
        return buildah("run", *mounts, self.name, "--", *command, check=False)

    def imports(self, *packages: str) -> list[str]:
        """List what cannot be imported of packages: what the image lacks."""
        done = self.run("python", "-c", _IMPORT_ALL, *packages)
        assert done.returncode == 0, done.stderr
        lines: list[str] = json.loads(done.stdout)
        return lines


_IMPORT_ALL = """
import importlib, json, pkgutil, sys
failed = []
for package in map(importlib.import_module, sys.argv[1:]):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        try:
            module.name.endswith("__main__") or importlib.import_module(module.name)
        except ImportError as error:
            failed.append(f"{module.name}: {error}")
print(json.dumps(failed))
"""


def built(image: str) -> str:
    """Name an image that is there; where there is none the test is skipped, but fails in CI."""
    if not (FOLDER / f"{image}.built").exists():
        missing = f"no image of the {image}: install buildah and mmdebstrap and run `make images`, as root"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return f"extractor-{image}"


@contextlib.contextmanager
def container(image: str) -> Iterator[Container]:
    """Make a container of an image; it goes with the block."""
    name = buildah("from", image).stdout.strip()
    try:
        yield Container(name)
    finally:
        buildah("rm", name)


def config(image: str) -> dict[str, Any]:
    """Read what an image says of itself: its user, its entry point, its labels."""
    found: dict[str, Any] = json.loads(buildah("inspect", "--type=image", image).stdout)
    settings: dict[str, Any] = found["OCIv1"]["config"]
    return settings


def weight(image: str) -> int:
    """Sum the bytes that an image is pushed and pulled as."""
    return sum(blob.stat().st_size for blob in (FOLDER / image / "blobs/sha256").iterdir())


def buildah(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run buildah on what `make images` made."""
    done = subprocess.run(
        ["buildah", *arguments], env=ENVIRONMENT, capture_output=True, text=True, timeout=_SECONDS
    )
    assert not check or done.returncode == 0, f"buildah {' '.join(arguments)}: {done.stderr}"
    return done
