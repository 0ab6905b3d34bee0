"""O03: declared dependencies against a database of advisories: a zip of OSV records, as OSV publishes them.

Nothing is fetched. pip-audit would do this, but leaves the comparison of versions to a server, and reads no
database of its own. A manifest names ranges, not versions: what counts is the newest version that the record
knows and the requirement allows, because something like it would be installed.
"""

import codecs
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from extractor_sandbox import limits, manifest
from extractor_sandbox.finding import Problem, shown
from extractor_sandbox.opinions.evidence import Evidence

# Zip names are in this encoding, which Python keeps in a file: once confined, nothing can be opened.
codecs.lookup("cp437")
_RECORD_BYTES = 16 * limits.MIB
_ALIKE = bytes.maketrans(b"_.", b"--")
_FIRST = Version("0.dev0")
"""What OSV writes as ``0``: before every version."""
_LAST = Version("999999999")
"""After every version: affected where a range has no end."""


@dataclass(frozen=True)
class _Affected:
    """What a record says of one distribution."""

    versions: frozenset[Version]
    """Affected, each of them."""
    ranges: tuple[tuple[tuple[Version, str], ...], ...]
    """For each range its events, in order: ``introduced``, ``fixed``, ``last_affected``."""

    def __contains__(self, version: object) -> bool:
        return version in self.versions or any(_is_within(version, events) for events in self.ranges)

    @property
    def known(self) -> frozenset[Version]:
        """All versions that are spoken of."""
        spoken = {version for events in self.ranges for version, _ in events}
        return self.versions | spoken | ({_LAST} if _LAST in self else set())

    def find_fix(self, version: Version) -> Version | None:
        """Give the next version in which it is mended."""
        fixes = (
            each for events in self.ranges for each, kind in events if kind == "fixed" and each > version
        )
        return min(fixes, default=None)


def problems(evidence: Evidence) -> Iterator[Problem]:
    """Say which advisories hold for which dependencies; the same weakness under two ids once."""
    if evidence.advisories is None:
        raise ValueError("there is no database of advisories")
    wanted = [Requirement(each) for each in evidence.dependencies]
    told: set[tuple[str, str]] = set()
    for record in _records(evidence.advisories, {canonicalize_name(each.name) for each in wanted}):
        ids = [record["id"], *record.get("aliases", ())]
        for requirement in wanted:
            problem = _compare(record, requirement)
            if problem and not any((requirement.name, each) in told for each in ids):
                told.update((requirement.name, each) for each in ids)
                yield problem


def _records(database: int, names: set[str]) -> Iterator[dict[str, Any]]:
    """Read the records that name one of the distributions; the others are not even parsed."""
    marks = [name.encode() for name in sorted(names)]
    with open(database, "rb", closefd=False) as file, zipfile.ZipFile(file) as archive:
        for entry in archive.infolist() if marks else ():
            if not entry.filename.endswith(".json"):
                continue
            with archive.open(entry) as opened:
                raw = opened.read(_RECORD_BYTES + 1)
            if len(raw) > _RECORD_BYTES:
                raise ValueError(f"the record {shown(entry.filename)} is larger than {_RECORD_BYTES} bytes")
            alike = re.sub(rb"-+", b"-", raw.lower().translate(_ALIKE))
            if any(mark in alike for mark in marks):
                record = json.loads(raw)
                if not record.get("withdrawn"):
                    yield record


def _compare(record: dict[str, Any], requirement: Requirement) -> Problem | None:
    affected = _read(record, canonicalize_name(requirement.name))
    bounds = _parse(each.version.removesuffix(".*") for each in requirement.specifier)
    version = max(requirement.specifier.filter({*affected.known, *bounds}), default=None)
    if version is None or version not in affected:
        return None
    fix = affected.find_fix(version)
    ids = ", ".join([record["id"], *record.get("aliases", ())])
    what = requirement.name if version in (_FIRST, _LAST) else f"{requirement.name} {version}"
    summary = " ".join(str(record.get("summary", "")).split())
    return Problem(
        message=shown(f"{what} has a known weakness, {ids}: {summary}".rstrip(": ")),
        path=manifest.PATH,
        advice=f"Allow {requirement.name} {fix}, in which it is mended." if fix else None,
        severity="warn",
    )


def _read(record: dict[str, Any], name: str) -> _Affected:
    about = [
        each
        for each in record.get("affected", ())
        if each["package"]["ecosystem"] == "PyPI" and canonicalize_name(each["package"]["name"]) == name
    ]
    ranges = [each for entry in about for each in entry.get("ranges", ()) if each["type"] == "ECOSYSTEM"]
    return _Affected(
        versions=frozenset(_parse(text for each in about for text in each.get("versions", ()))),
        ranges=tuple(tuple(sorted(_events(each["events"]))) for each in ranges),
    )


def _events(events: Iterable[dict[str, str]]) -> Iterator[tuple[Version, str]]:
    for event in events:
        for kind, text in event.items():
            if kind == "introduced" and text == "0":
                yield _FIRST, kind
            else:
                yield from ((version, kind) for version in _parse([text]))


def _is_within(version: Any, events: tuple[tuple[Version, str], ...]) -> bool:
    """Follow the events up to a version, as OSV describes it."""
    affected = False
    for at, kind in events:
        if kind == "introduced" and version >= at:
            affected = True
        elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            affected = False
    return affected


def _parse(texts: Iterable[str]) -> Iterator[Version]:
    """Read versions; old ones that Python no longer takes for versions cannot be installed either."""
    for text in texts:
        try:
            yield Version(text)
        except InvalidVersion:
            continue
