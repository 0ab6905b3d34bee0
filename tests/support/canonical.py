"""Canonical archives and their reports, as the sandbox makes them."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

from extractor_apis.scan import ScanReport, Verdict
from extractor_artifacts import digest

FILES = {"manifest.py": b"version = '1.0.0'\n", "weights/model.bin": bytes(range(256))}


def make_archive(path: Path, files: Mapping[str, bytes] = FILES, *, method: int = zipfile.ZIP_STORED) -> Path:
    """Write a zip of stored entries."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return path


def make_report(archive: Path, *, verdict: Verdict = Verdict.ACCEPT) -> ScanReport:
    """Report an archive that is its own canonical form."""
    found = digest.of_file(archive)
    return ScanReport(
        verdict=verdict, source_digest=found, artifact_digest=found, python="3.11", ruleset="1", files=2
    )
