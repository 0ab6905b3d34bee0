from dataclasses import replace
from pathlib import Path

import pytest

from extractor_artifacts.environments import Installed, Locked, Python, lockfile, runtime_index
from extractor_artifacts.environments.lockfile import Pin

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
LOCKED = Locked("sha256:1", Python(Path("/python"), "cpython-311"), (Pin("beta", "2.0", (A, B)),))


def test_pins_are_read_as_uv_writes_them() -> None:
    alpha = f"alpha==1.0 \\\n    --hash={A}\n"
    beta = f"beta==2.0+cpu ; python_version < '4' \\\n    --hash={A} \\\n    --hash={B}\n"

    assert lockfile.parse(alpha + beta) == (Pin("alpha", "1.0", (A,)), Pin("beta", "2.0+cpu", (A, B)))


def test_pins_are_read_as_they_are_written() -> None:
    assert lockfile.parse(lockfile.render(LOCKED.pins)) == LOCKED.pins


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("beta==2.0", id="no hash"),
        pytest.param("beta==2.0 --hash=md5:abc", id="a weak hash"),
        pytest.param(f"beta @ http://host/b.whl --hash={A}", id="a URL"),
        pytest.param(f"--index-url http://host --hash={A}", id="an option"),
        pytest.param(f"beta==2.0 --hash={A} --pre", id="an option after hashes"),
    ],
)
def test_what_is_no_pin_with_hashes_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="no pin with hashes"):
        lockfile.parse(line)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(LOCKED, image_digest="sha256:2"), id="image"),
        pytest.param(replace(LOCKED, python=Python(Path("/python"), "cpython-312")), id="Python"),
        pytest.param(replace(LOCKED, python=replace(LOCKED.python, platform="older")), id="platform"),
        pytest.param(replace(LOCKED, pins=(Pin("beta", "2.0", (A,)),)), id="hashes"),
        pytest.param(replace(LOCKED, pins=()), id="distributions"),
    ],
)
def test_key_tells_environments_apart(other: Locked) -> None:
    assert other.key != LOCKED.key


def test_key_does_not_depend_on_where_the_interpreter_is() -> None:
    elsewhere = replace(LOCKED, python=replace(LOCKED.python, executable=Path("/other/python")))

    assert elsewhere.key == LOCKED.key


@pytest.mark.parametrize(
    ("version", "want"),
    [
        pytest.param("2.60.0", "2.60.0+runtime", id="a release"),
        pytest.param("2.9.0+cpu", "2.9.0+cpu.runtime", id="a build of its own"),
        pytest.param("1.0rc1", "1.0rc1+runtime", id="a candidate"),
    ],
)
def test_version_is_marked_as_the_runtimes(version: str, want: str) -> None:
    assert runtime_index.version(version) == want


def test_runtime_is_told_apart_by_what_it_has() -> None:
    one, other = Installed("ray", "2.60.0"), Installed("ray", "2.61.0")

    assert runtime_index.digest([one]) != runtime_index.digest([other])
