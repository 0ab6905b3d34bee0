"""Every command of the documentation works as it is written, in its order."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import skimage.data
from PIL import Image

from support import pages
from support.command import EXTRACTOR

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
START_SECONDS = 120


@pytest.fixture
def servers() -> Iterator[list[subprocess.Popen[str]]]:
    """Servers that a page starts; ended with the test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for server in started:
        server.terminate()
        server.communicate(timeout=60)


@pytest.mark.parametrize(
    ("page", "before"),
    [
        ("docs/write-an-extractor.md", []),
        ("docs/secrets-and-language-models.md", ["extractor init my_extractor"]),
        ("docs/scan.md", []),
        ("docs/dependencies.md", ["extractor init my_extractor"]),
    ],
)
def test_every_command_of_the_page_works(
    page: str, before: list[str], tmp_path: Path, servers: list[subprocess.Popen[str]]
) -> None:
    secrets = dict.fromkeys(("PARTNER_TOKEN", "TOKEN_OF_OURS", "OPENAI_API_KEY"), "not-a-real-one")
    environment = {**os.environ, **secrets, "PATH": f"{EXTRACTOR.parent}:{os.environ['PATH']}"}
    (tmp_path / "token.txt").write_text("not-a-real-one\n")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "photographs").mkdir()
    for name in ("coffee", "rocket"):
        Image.fromarray(getattr(skimage.data, name)()).save(tmp_path / "photographs" / f"{name}.png")
    # A YAML block that starts with the name of a file is that file.
    for name, text in re.findall(r"```yaml\n# (\S+)\n(.*?)```", (ROOT / page).read_text(), re.DOTALL):
        (tmp_path / name).write_text(text)
    done = pages.commands(page)

    assert len(done) > 2
    for command in [*before, *done]:
        if command.startswith("extractor serve"):
            server = subprocess.Popen(
                f"exec {command}",
                shell=True,
                cwd=tmp_path,
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            servers.append(server)
            assert server.stdout is not None
            assert "answers at" in server.stdout.readline()
            continue
        ended = subprocess.run(
            command,
            shell=True,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
        assert ended.returncode == 0, f"{command}: {ended.stderr}"
        assert ended.stdout.strip(), command


def test_the_readmes_commands_are_targets_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()

    for command in pages.commands("README.md"):
        program, target = command.split()
        assert program == "make"
        assert re.search(rf"^{target}:.*##", makefile, re.MULTILINE)


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
