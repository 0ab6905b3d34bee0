"""What the pages of the kinds show is taken by a real API server, and their commands work on it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import kubernetes, operators, pages
from support.kubernetes import Cluster

pytestmark = pytest.mark.integration

PAGES = sorted((pages.ROOT / "docs/spec/v1alpha1").glob("*.md"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with kubernetes.cluster(tmp_path_factory.mktemp("kubernetes")) as made:
        operators.install(made)
        yield made


@pytest.mark.parametrize("page", [pytest.param(page, id=page.stem) for page in PAGES])
def test_the_examples_of_a_page_are_taken_and_its_commands_work(
    cluster: Cluster, tmp_path: Path, page: Path
) -> None:
    name = str(page.relative_to(pages.ROOT))
    with cluster.namespace() as namespace:
        for example in pages.yaml_blocks(name):
            cluster.kubectl(
                *("apply", "--namespace", namespace, "--server-side", "--validate=strict", "-f", "-"),
                input=example,
            )
        cluster.kubectl("config", "set-context", "--current", "--namespace", namespace)
        for command in pages.commands(name):
            done = subprocess.run(
                command,
                shell=True,
                env={
                    "HOME": str(tmp_path),
                    "KUBECONFIG": str(cluster.kubeconfig),
                    "PATH": f"{cluster.binaries}:{os.environ['PATH']}",
                },
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0, f"{command}: {done.stderr}"
