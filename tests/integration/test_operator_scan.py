"""The scan as a process of its own: what the operator makes of its answer, or of none."""

import asyncio
from pathlib import Path

import pytest

from extractor_apis.conditions import Reason
from extractor_apis.scan import ScanPolicy, ScanReport, Severity, Strictness, Verdict
from extractor_operator.errors import Retrying
from extractor_operator.versions.scan import Scanner
from support import archives

pytestmark = pytest.mark.integration


def scan(folder: Path, archive: bytes | None, policy: ScanPolicy, seconds: float = 60) -> ScanReport:
    source = folder / "source"
    if archive is not None:
        source.write_bytes(archive)

    async def main() -> ScanReport:
        scanner = Scanner(asyncio.Semaphore(1), seconds=seconds)
        return await scanner.scan(source, policy, into=folder / "canonical.zip")

    return asyncio.run(main())


def test_an_accepted_archive_is_there_in_its_canonical_form(tmp_path: Path) -> None:
    report = scan(tmp_path, archives.extractor(), ScanPolicy())

    assert (report.verdict, report.manifest and report.manifest.name) == (Verdict.ACCEPT, "text_embed")
    assert (tmp_path / "canonical.zip").stat().st_size > 0


def test_a_namespaces_policy_reaches_the_scan(tmp_path: Path) -> None:
    archive = archives.extractor({"pipeline.py": "import os\nos.system('id')\ndef build_steps(): pass\n"})

    report = scan(tmp_path, archive, ScanPolicy(strictness=Strictness.ADVISORY))

    assert report.verdict is Verdict.ACCEPT
    assert {finding.severity for finding in report.findings} == {Severity.WARN}


def test_a_scan_that_takes_too_long_rejects(tmp_path: Path) -> None:
    report = scan(tmp_path, archives.extractor(), ScanPolicy(), seconds=0.001)

    assert (report.verdict, [finding.rule for finding in report.findings]) == (Verdict.REJECT, ["X01"])


def test_a_scan_without_a_verdict_is_tried_again_and_says_why(tmp_path: Path) -> None:
    with pytest.raises(
        Retrying, match=r"came to no verdict: cannot read the archive .*No such file"
    ) as caught:
        scan(tmp_path, None, ScanPolicy())

    assert caught.value.reason is Reason.SCAN_FAILED
