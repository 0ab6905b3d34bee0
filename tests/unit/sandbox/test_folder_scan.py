"""The scanner that authors call from their own tests judges as an upload is judged."""

from pathlib import Path

import pytest

from extractor_sandbox.folder import PackError
from extractor_sandbox.folder_scan import PluginSecurityScanner
from support.archives import FILES, MANIFEST


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in {**FILES, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def test_a_folder_that_the_platform_accepts_passes(tmp_path: Path) -> None:
    result = PluginSecurityScanner(strict_mode=True).scan_directory(str(write(tmp_path, {})))

    assert (result.passed, result.violations) == (True, ())


def test_a_violation_names_file_line_severity_and_reason(tmp_path: Path) -> None:
    folder = write(tmp_path, {"processors/core.py": "import os\nimport subprocess\n"})

    result = PluginSecurityScanner().scan_directory(folder)

    assert not result.passed
    assert [(each.filename, each.line, each.severity, each.message) for each in result.violations] == [
        ("processors/core.py", 2, "error", "imports subprocess")
    ]


@pytest.mark.parametrize(("strict", "want"), [(False, True), (True, False)], ids=["lenient", "strict"])
def test_a_warning_fails_in_strict_mode_only(strict: bool, want: bool, tmp_path: Path) -> None:
    folder = write(tmp_path, {"manifest.py": f"{MANIFEST}tier = 9\n"})

    result = PluginSecurityScanner(strict_mode=strict).scan_directory(folder)

    assert (result.passed, [each.severity for each in result.violations]) == (want, ["warning"])


def test_nothing_of_the_folder_is_run_or_written(tmp_path: Path) -> None:
    folder = write(tmp_path, {"pipeline.py": "raise SystemExit('run')\n"})
    before = sorted(folder.rglob("*"))

    PluginSecurityScanner().scan_directory(folder)

    assert sorted(folder.rglob("*")) == before


def test_a_folder_that_is_no_extractor_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"has no manifest\.py"):
        PluginSecurityScanner().scan_directory(tmp_path)
