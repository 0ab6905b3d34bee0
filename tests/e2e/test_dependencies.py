"""An extractor with dependencies that settings allow, on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from extractor_artifacts import unpack
from support import package_index
from support.command import extractor

pytestmark = pytest.mark.e2e

URI = "mixpeek://probe@1.0.0/probe_embedding"
SETTINGS = """\
packages:
  wheels: {wheels}
  offline: true
defaults:
  scan:
    allowedDependencies: [stemmer]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with an extractor that depends on a distribution, which depends on another."""
    (tmp_path / "caches").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    wheels = tmp_path / "wheels"
    package_index.wheel(wheels, "suffixes", files={"suffixes/__init__.py": "ALL = ('ing', 's')\n"})
    stem = "import suffixes\n\ndef stem(word):\n    return word.removesuffix(suffixes.ALL[0])\n"
    package_index.wheel(wheels, "stemmer", requires=["suffixes"], files={"stemmer/__init__.py": stem})
    (tmp_path / "settings.yaml").write_text(SETTINGS.format(wheels=wheels))
    assert extractor("init", "probe", cwd=tmp_path).returncode == 0
    _replace(tmp_path / "probe/manifest.py", "dependencies = []", "dependencies = ['stemmer>=1']")
    code = tmp_path / "probe/processors/embed.py"
    _replace(code, "import numpy as np", "import numpy as np\nimport stemmer")
    _replace(code, 'findall(r"\\w+", text.lower())', 'findall(r"\\w+", stemmer.stem(text.lower()))')
    yield tmp_path
    unpack.remove(tmp_path / "caches")


def test_dependencies_are_there_in_a_run_and_in_a_query(home: Path) -> None:
    settings = ("--settings", "settings.yaml")
    ran = extractor("run", "probe", "--source", "probe/sample.jsonl", "--store", "store", *settings, cwd=home)
    asked = extractor("query", URI, "a hot drink", "--store", "store", *settings, cwd=home)

    assert (ran.returncode, asked.returncode) == (0, 0), ran.stderr + asked.stderr
    assert "installing 2 distributions that mixpeek://probe@1.0.0 depends on" in ran.stderr
    assert "3 of 3 objects done" in ran.stdout
    assert "installing" not in asked.stderr


def test_dependencies_are_there_in_a_trial(home: Path) -> None:
    tried = extractor("test", "probe", "--settings", "settings.yaml", cwd=home)

    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert "passed" in tried.stdout


def test_dependencies_are_refused_without_settings(home: Path) -> None:
    ran = extractor("run", "probe", "--source", "probe/sample.jsonl", "--store", "store", cwd=home)

    assert ran.returncode == 3
    assert "imports stemmer, which is not on the list" in ran.stderr


def test_conflict_is_told_in_one_sentence(home: Path) -> None:
    _replace(home / "probe/manifest.py", "stemmer>=1", "stemmer>=2")

    ran = extractor(
        *("run", "probe", "--source", "probe/sample.jsonl", "--store", "store"),
        *("--settings", "settings.yaml"),
        cwd=home,
    )

    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == (
        "extractor: Because only stemmer==1.0 is available and manifest.py requires stemmer>=2, nothing "
        "fits: change the dependencies in manifest.py"
    )


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
