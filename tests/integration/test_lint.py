"""`extractor lint` as a user runs it: its forms, the operator's settings, and what cannot be read."""

import json
from pathlib import Path

import pytest

from extractor_apis.settings import RUNTIME_PYTHON
from support.archives import extractor as make_extractor
from support.command import extractor

pytestmark = pytest.mark.integration

SETTINGS = """\
namespaces:
  - name: mine
    scan: {strictness: advisory}
  - name: "*"
    scan: {requireLandlock: false}
"""
CODE = "import subprocess\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an archive whose code is refused, and settings that excuse it in one namespace."""
    (tmp_path / "bad.zip").write_bytes(make_extractor({"processors/step.py": CODE}))
    (tmp_path / "good.zip").write_bytes(make_extractor())
    (tmp_path / "settings.yaml").write_text(SETTINGS)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "want"),
    [
        pytest.param(["bad.zip"], 3, id="strict without settings"),
        pytest.param(["bad.zip", "--settings", "settings.yaml"], 3, id="the defaults without a namespace"),
        pytest.param(["bad.zip", "--settings", "settings.yaml", "-n", "theirs"], 3, id="strict"),
        pytest.param(["bad.zip", "--settings", "settings.yaml", "-n", "mine"], 0, id="advisory"),
        pytest.param(["good.zip"], 0, id="accepted"),
        pytest.param(["good.zip", "-n", "mine"], 2, id="a namespace of no settings"),
        pytest.param(["good.zip", "--settings", "absent.yaml"], 1, id="settings that are not there"),
        pytest.param(["absent.zip"], 1, id="an archive that is not there"),
        pytest.param(["good.zip", "--opinion", "advisories"], 1, id="an opinion without what it needs"),
        pytest.param(["good.zip", "--advisories", "good.zip"], 2, id="advisories that nobody asks"),
        pytest.param(
            ["good.zip", "--opinion", "advisories", "--advisories", "good.zip"], 1, id="a zip of other things"
        ),
        pytest.param(["settings.yaml"], 3, id="a file that is no archive"),
        pytest.param(["."], 1, id="a folder that cannot be packed has no report"),
    ],
)
def test_the_exit_code_is_the_verdict(arguments: list[str], want: int, folder: Path) -> None:
    ended = extractor("lint", *arguments, cwd=folder)

    assert ended.returncode == want, ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_namespace_that_no_entry_fits_is_said(folder: Path) -> None:
    (folder / "settings.yaml").write_text("namespaces: [{name: mine}]\n")

    ended = extractor("lint", "good.zip", "--settings", "settings.yaml", "-n", "mien", cwd=folder)

    assert ended.returncode == 0
    assert ended.stderr == "extractor: no entry of settings.yaml fits 'mien': its defaults count\n"


def test_advisory_says_what_strict_would_refuse(folder: Path) -> None:
    ended = extractor("lint", "bad.zip", "--settings", "settings.yaml", "-n", "mine", cwd=folder)

    assert "warn: C04 imports subprocess\n  1 | import subprocess\n    | ^\n" in ended.stdout
    assert "accepted (advisory)" in ended.stdout
    assert "1 finding would be refused in strict" in ended.stdout
    assert "\x1b" not in ended.stdout


def test_nothing_in_an_archive_or_beside_it_is_taken_for_settings(folder: Path) -> None:
    lenient = "defaults:\n  scan: {strictness: advisory}\n"
    files = dict.fromkeys(("settings.yaml", "extractor.yaml", "pyproject.toml"), lenient)
    (folder / "settings.yaml").write_text(lenient)
    (folder / "bad.zip").write_bytes(make_extractor({"processors/step.py": CODE, **files}))

    ended = extractor("lint", "bad.zip", "-o", "json", cwd=folder)

    report = json.loads(ended.stdout)
    assert (report["verdict"], report["strictness"]) == ("reject", "strict")


def test_another_python_than_the_runtimes_is_a_warning(folder: Path) -> None:
    (folder / "settings.yaml").write_text("runtimePython: 3.99\n")

    ended = extractor("lint", "good.zip", "--settings", "settings.yaml", "-o", "json", cwd=folder)

    [finding] = [each for each in json.loads(ended.stdout)["findings"] if each["rule"] == "X04"]
    assert (finding["severity"], ended.returncode) == ("warn", 0)
    assert "the platform runs it with 3.99" in finding["message"]
    assert RUNTIME_PYTHON != "3.99"


@pytest.mark.parametrize("output", ["text", "json", "sarif"])
def test_no_form_of_the_report_holds_what_a_terminal_obeys(output: str, folder: Path) -> None:
    code = "x = 1  # \x9b2J \u202e\nopen(x)  # \u2066"
    (folder / "bad.zip").write_bytes(make_extractor({"processors/step.py": code}))

    ended = extractor("lint", "bad.zip", "-o", output, cwd=folder)

    assert ended.returncode == 3
    assert "2J" in ended.stdout
    assert not [each for each in ended.stdout if not each.isprintable() and each != "\n"]


@pytest.mark.parametrize("output", ["text", "json", "sarif"])
def test_a_secret_is_found_and_never_shown(output: str, folder: Path) -> None:
    secret = "AKIA" + "Z7Q2M4X8C1V5B9N3"
    (folder / "bad.zip").write_bytes(make_extractor({"processors/step.py": f"open('{secret}')\n"}))

    ended = extractor("lint", "bad.zip", "-o", output, cwd=folder)

    assert "S01" in ended.stdout
    assert secret not in ended.stdout + ended.stderr
