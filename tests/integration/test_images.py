"""The images work as they were built, run by their own user in what cannot be written to."""

import json
import re
import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from extractor_apis import settings
from extractor_apis.run import RunPhase, RunState
from extractor_apis.scan import ScanReport, Verdict
from extractor_apis.workload import Platform
from extractor_runtime.loader import Tree
from support import archives, images, oci_registry, pages, runs
from support.images import Container

pytestmark = pytest.mark.integration

PIPELINE = """
def embed(batch):
    batch["vector"] = [[float(len(text)), 1.0, 2.0, 3.0] for text in batch["data"]]
    return batch


def build_steps(extractor_request, **kwargs):
    return {"steps": [embed], "prepare": lambda ds: ds}
"""
DESCRIBE = ("python", "-m", "extractor_runtime.image")
PAGE = pages.ROOT / "docs/images.md"
PLATFORM = Platform(ray=metadata.version("ray"), python=settings.RUNTIME_PYTHON)


@pytest.fixture(scope="module")
def runtime() -> Iterator[Container]:
    with images.container(images.built("runtime")) as made:
        yield made


@pytest.fixture(scope="module")
def operator() -> Iterator[Container]:
    with images.container(images.built("operator")) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A volume that the images' user may write to."""
    made = tmp_path / "volume"
    made.mkdir(mode=0o777)
    made.chmod(0o777)
    return made


def test_the_runtime_image_says_what_it_has(runtime: Container) -> None:
    said = json.loads(runtime.run(*DESCRIBE).stdout)

    assert Platform(ray=said["ray"], python=said["python"]) == PLATFORM
    assert re.fullmatch(r"installed:[0-9a-f]{64}", said["distributions"])


@pytest.mark.parametrize("name", ["runtime", "operator"])
def test_an_images_user_can_write_nothing_of_it(name: str, request: pytest.FixtureRequest) -> None:
    container: Container = request.getfixturevalue(name)

    found = container.run(
        "find", "/", "-xdev", "(", "-path", "/tmp", "-o", "-path", "/var/tmp", "-o", "-path", "/proc", ")",
        "-prune", "-o", "!", "-type", "l", "-writable", "-print",
    )  # fmt: skip

    assert [path for path in found.stdout.split() if not path.startswith(("/dev", "/run", "/var/lock"))] == []
    assert container.run("id", "-u").stdout.strip() == str(images.USER)


def test_every_module_of_the_runtime_can_be_imported_in_its_image(runtime: Container) -> None:
    packages = ("extractor_apis", "extractor_stores", "extractor_runtime", "engine", "shared", "mixpeek_dev")

    assert runtime.imports(*packages, "extractor_artifacts.environments", "extractor_artifacts.sources") == []


def test_every_module_of_the_operator_can_be_imported_in_its_image(operator: Container) -> None:
    assert operator.imports("extractor_apis", "extractor_artifacts", "extractor_operator") == []
    assert operator.imports("extractor_sandbox") == []


def test_the_operator_image_knows_the_time_zones_of_schedules(operator: Container) -> None:
    done = operator.run("python", "-c", "import zoneinfo; print(zoneinfo.ZoneInfo('Europe/Berlin'))")

    assert done.stdout == "Europe/Berlin\n", done.stderr


def test_a_collection_is_run_in_the_runtime_image(runtime: Container, folder: Path, tmp_path: Path) -> None:
    done = run_batch(runtime, folder, tmp_path / "tree", PLATFORM)

    assert done.returncode == 0, done.stderr
    state = RunState.model_validate_json(done.stdout.splitlines()[-1])
    assert (state.phase, state.documents_total) == (RunPhase.COMPLETED, 2)


def test_a_run_is_refused_by_an_image_with_another_ray(
    runtime: Container, folder: Path, tmp_path: Path
) -> None:
    done = run_batch(runtime, folder, tmp_path / "tree", PLATFORM.model_copy(update={"ray": "2.9.3"}))

    assert done.returncode == 1
    assert f"image has Ray {PLATFORM.ray} and Python 3.11, but the platform runs Ray 2.9.3" in done.stderr


def run_batch(
    container: Container, folder: Path, tree: Path, platform: Platform
) -> subprocess.CompletedProcess[str]:
    """Run a collection of two objects, with the code where it can only be read."""
    made = runs.make_tree(tree, {"pipeline.py": PIPELINE})
    (folder / "objects.jsonl").write_text('{"id": "a", "text": "one"}\n{"id": "b", "text": "three"}\n')
    config = runs.make_config(
        Tree(Path("/tree"), made.digest),
        Path("/results/store"),
        source="/results/objects.jsonl",
        platform=platform,
        cpus=1,
    )
    (folder / "config.json").write_text(config.model_dump_json())
    return container.run(
        *("python", "-m", "extractor_runtime.batch", "--config", "/results/config.json"),
        volumes={folder: "/results", tree: "/tree:ro"},
    )


def test_the_operator_image_starts_the_operator(operator: Container) -> None:
    entry = images.config("extractor-operator")["Entrypoint"]

    assert "Reconcile extractors." in operator.run(*entry, "--help").stdout


def test_the_operator_image_scans(operator: Container, folder: Path) -> None:
    (folder / "archive.zip").write_bytes(archives.extractor())

    done = operator.run(
        *("python", "-m", "extractor_sandbox", "--archive", "/scan/archive.zip"),
        *("--into", "/scan/canonical.zip", "--report", "/scan/report.json"),
        volumes={folder: "/scan"},
    )

    assert done.returncode == 0, done.stderr
    report = ScanReport.model_validate_json((folder / "report.json").read_bytes())
    assert report.verdict is Verdict.ACCEPT and report.confinement


@pytest.mark.parametrize("name", ["runtime", "operator"])
def test_an_image_weighs_no_more_than_its_page_says(name: str) -> None:
    said = re.search(rf"\| `{images.built(name)}` \|.*\| (\d+) MB \|", PAGE.read_text())

    assert said and images.weight(name) <= int(said[1]) * 1e6


def test_every_command_of_the_page_works(runtime: Container, operator: Container, tmp_path: Path) -> None:
    page = PAGE.read_text()
    with oci_registry.oci_registry(tmp_path / "registry") as registry:
        # It is CI that runs the first: here its images are what is pushed and built upon.
        made, *commands = (
            each.replace("registry.example.com", registry.host) for each in pages.commands("docs/images.md")
        )
        (dockerfile,) = re.findall(r"```dockerfile\n(.*?)```", page, re.DOTALL)
        (tmp_path / "Dockerfile").write_text(dockerfile.replace("registry.example.com", registry.host))
        (tmp_path / "registries.conf").write_text(
            f'[[registry]]\nlocation = "{registry.host}"\ninsecure = true\n'
        )
        (tmp_path / ".cache").mkdir()
        (tmp_path / ".cache/images").symlink_to(images.FOLDER)
        environment = images.ENVIRONMENT | {"CONTAINERS_REGISTRIES_CONF": str(tmp_path / "registries.conf")}
        del environment["CONTAINERS_STORAGE_CONF"]

        done = subprocess.run(
            ["bash", "-euc", "\n".join(commands)],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=400,
        )  # fmt: skip

        try:
            assert done.returncode == 0, done.stderr
            assert (made, done.stdout.strip()[:7]) == ("make images", "sha256:")
            with images.container(f"{registry.host}/extractors/with-media:1.0.0") as extended:
                assert "MediaInfo" in extended.run("mediainfo", "--Version").stdout
                assert extended.run(*DESCRIBE).stdout == runtime.run(*DESCRIBE).stdout
        finally:
            for name in ("with-media", "runtime"):
                images.buildah("rmi", "--force", f"{registry.host}/extractors/{name}:1.0.0", check=False)
