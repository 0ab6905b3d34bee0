"""What a second opinion is formed on, without an archive around it."""

import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from extractor_sandbox.member import Member
from extractor_sandbox.opinions.evidence import Evidence


def make_evidence(
    files: Mapping[str, str] = {}, dependencies: Iterable[str] = (), advisories: int | None = None
) -> Evidence:
    """Build the evidence of some files."""
    return Evidence(
        files=tuple(_make_member(path, text.encode()) for path, text in files.items()),
        dependencies=tuple(dependencies),
        reading=lambda path: None,
        advisories=advisories,
    )


def write_advisories(path: Path, records: Iterable[Mapping[str, object]]) -> Path:
    """Write a database as OSV publishes it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for index, record in enumerate(records):
            archive.writestr(f"{index}.json", json.dumps(record))
    return path


def make_advisory(name: str = "colours", ecosystem: str = "PyPI", **affected: object) -> dict[str, object]:
    """Build the record of a weakness that version 2.0 mends, unless it is told otherwise."""
    events = [{"introduced": "0"}, {"fixed": "2.0"}]
    package = {"name": name, "ecosystem": ecosystem}
    return {
        "id": "GHSA-1111",
        "aliases": ["CVE-2026-1"],
        "summary": "Reads\nthe wrong file",
        "affected": [{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}], **affected}],
    }


def _make_member(path: str, content: bytes) -> Member:
    return Member(path, False, len(content), None, lambda: iter((content,)))
