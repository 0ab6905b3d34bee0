"""The operator's pages work as they are written, against a real API server."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from extractor_apis.settings import Settings
from extractor_artifacts import digest
from support import kubernetes, operators, pages
from support.kubernetes import Cluster

pytestmark = pytest.mark.integration

PAGES = ("docs/operator.md", "docs/conditions.md", "docs/metrics.md")
COMMAND_SECONDS = 90
NO_DIGEST = "sha256:" + "0" * 64


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with kubernetes.cluster(tmp_path / "kubernetes") as made:
        yield made


@pytest.fixture
def shell(cluster: Cluster, tmp_path: Path) -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes that the page leaves running; ended with the test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def test_every_command_of_the_pages_works(
    cluster: Cluster, tmp_path: Path, shell: list["subprocess.Popen[str]"]
) -> None:
    for name in ("crds", "operator", ".venv"):
        (tmp_path / name).symlink_to(pages.ROOT / name)
    settings, in_a_cluster, version = pages.yaml_blocks("docs/operator.md")
    assert Settings.model_validate(yaml.safe_load(in_a_cluster)).cluster
    archive = operators.make_archive("text-embed")
    with operators.web(tmp_path / "web") as url:
        (tmp_path / "web/text-embed.zip").write_bytes(archive)
        # What a reader has elsewhere: the archive, its digest, and a folder.
        version = version.replace("https://files.example.com", url).replace(
            NO_DIGEST, digest.of_file(tmp_path / "web/text-embed.zip")
        )
        settings = settings.replace("[]        # addresses", "[127.0.0.0/8]  # addresses")
        settings = settings.replace("/tmp/extractor-store", str(tmp_path / "store"))
        (tmp_path / "settings.yaml").write_text(settings)
        (tmp_path / "version.yaml").write_text(version)
        environment = reaching(cluster)
        said = ""
        for command in [each for page in PAGES for each in pages.commands(page)]:
            if "extractor_operator" in command:
                operator = subprocess.Popen(
                    command.replace("--port 8080", "--port 0").split(),
                    cwd=tmp_path,
                    env=environment,
                    text=True,
                )
                shell.append(operator)
                continue
            said += run(command, tmp_path, environment)
    assert "condition met" in said and "can be run" in said and "annotated" in said


def test_every_command_about_workloads_works(cluster: Cluster, tmp_path: Path) -> None:
    operators.install(cluster)
    cluster.kubectl("create", "namespace", "team-a")
    (tmp_path / "examples").symlink_to(pages.ROOT / "examples")
    (again,) = pages.yaml_blocks("docs/workloads.md")
    (tmp_path / "again.yaml").write_text(again)
    for command in pages.commands("docs/workloads.md"):
        run(command, tmp_path, reaching(cluster))


def reaching(cluster: Cluster) -> dict[str, str]:
    """Give the environment in which kubectl is there, and finds the cluster."""
    path = f"{cluster.binaries}:{os.environ['PATH']}"
    return {**os.environ, "KUBECONFIG": str(cluster.kubeconfig), "PATH": path}


def run(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a command of a page, and give what it said."""
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout
