"""The scan as a process of its own: what the operator makes of its answer, or of none."""

import asyncio
from pathlib import Path

import pytest

from extractor_apis.conditions import Reason
from extractor_apis.scan import ScanPolicy, ScanReport, Severity, Strictness, Verdict
from extractor_operator.errors import Retrying
from extractor_operator.versions.scan import Scanner, scan_once
from extractor_operator.versions.scan_service import ScanService
from support import archives

pytestmark = pytest.mark.integration


BOTH_WAYS = pytest.mark.parametrize(
    "is_kept",
    [
        pytest.param(False, id="in a process that is started for it"),
        pytest.param(True, id="by the process that is kept for scans"),
    ],
)


def scan(
    folder: Path, archive: bytes | None, policy: ScanPolicy, seconds: float = 60, is_kept: bool = False
) -> ScanReport:
    source = folder / "source"
    if archive is not None:
        source.write_bytes(archive)

    async def main() -> ScanReport:
        service = ScanService()
        run = service.scan if is_kept else scan_once
        scanner = Scanner(asyncio.Semaphore(1), seconds=seconds, run=run)
        try:
            return await scanner.scan(source, policy, into=folder / "canonical.zip")
        finally:
            await service.close()

    return asyncio.run(main())


@BOTH_WAYS
def test_an_accepted_archive_is_there_in_its_canonical_form(tmp_path: Path, is_kept: bool) -> None:
    report = scan(tmp_path, archives.extractor(), ScanPolicy(), is_kept=is_kept)

    assert (report.verdict, report.manifest and report.manifest.name) == (Verdict.ACCEPT, "text_embed")
    assert (tmp_path / "canonical.zip").stat().st_size > 0


def test_a_worker_is_as_confined_however_it_began(tmp_path: Path) -> None:
    once, kept = (scan(tmp_path, archives.extractor(), ScanPolicy(), is_kept=each) for each in (False, True))

    assert once.confinement and kept.confinement == once.confinement


def test_a_namespaces_policy_reaches_the_scan(tmp_path: Path) -> None:
    archive = archives.extractor({"pipeline.py": "import os\nos.system('id')\ndef build_steps(): pass\n"})

    report = scan(tmp_path, archive, ScanPolicy(strictness=Strictness.ADVISORY))

    assert report.verdict is Verdict.ACCEPT
    assert {finding.severity for finding in report.findings} == {Severity.WARN}


def test_a_scan_that_takes_too_long_rejects(tmp_path: Path) -> None:
    lines = "value = [number for number in range(10)]\n" * 2000
    slow = archives.extractor({f"module_{number}.py": lines for number in range(50)})

    report = scan(tmp_path, slow, ScanPolicy(), seconds=1)

    assert (report.verdict, [finding.rule for finding in report.findings]) == (Verdict.REJECT, ["X01"])


@BOTH_WAYS
def test_a_scan_without_a_verdict_is_tried_again_and_says_why(tmp_path: Path, is_kept: bool) -> None:
    with pytest.raises(
        Retrying, match=r"came to no verdict: cannot read the archive .*No such file"
    ) as caught:
        scan(tmp_path, None, ScanPolicy(), is_kept=is_kept)

    assert caught.value.reason is Reason.SCAN_FAILED
