"""What holds for every example: the scan has nothing to say about it, and people can find and judge it."""

from pathlib import Path

import pytest

from extractor_cli import archive
from support.examples import EXAMPLES

pytestmark = pytest.mark.integration

FOLDERS = sorted(manifest.parent for manifest in EXAMPLES.glob("*/manifest.py"))

every_example = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


@every_example
def test_scan_has_no_findings(folder: Path) -> None:
    with archive.scanned(str(folder)) as scanned:
        assert (scanned.report.accepted, scanned.report.findings) == (True, ())


@every_example
def test_readme_is_short_and_says_what_weights_are_used(folder: Path) -> None:
    readme = (folder / "README.md").read_text()

    assert readme.startswith(f"# {folder.name}\n")
    assert "weights" in readme
    assert len(readme.splitlines()) <= 20


@every_example
def test_table_of_examples_lists_it(folder: Path) -> None:
    assert f"| [`{folder.name}`]({folder.name}) |" in (EXAMPLES / "README.md").read_text()
