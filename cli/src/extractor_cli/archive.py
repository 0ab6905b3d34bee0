"""From a path that a user names to an accepted artifact: fetched or packed, scanned, stored."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from extractor_apis.manifest import Manifest
from extractor_apis.scan import ScanPolicy, ScanReport
from extractor_cli import findings, signed

if TYPE_CHECKING:
    from extractor_apis.settings import Settings
    from extractor_artifacts import Artifact

_STRICT = ScanPolicy()


@dataclass(frozen=True)
class Scanned:
    """A report, and the canonical archive if it was accepted."""

    report: ScanReport
    archive: Path


@contextlib.contextmanager
def scanned(location: str, policy: ScanPolicy = _STRICT, advisories: Path | None = None) -> Iterator[Scanned]:
    """Fetch an archive, or pack a folder, and scan it; the files are gone afterwards."""
    import extractor_sandbox
    from extractor_artifacts import fetch

    with tempfile.TemporaryDirectory(prefix="extractor-") as folder:
        uploaded, canonical = Path(folder, "uploaded"), Path(folder, "canonical.zip")
        if Path(location).is_dir():
            extractor_sandbox.pack(Path(location), uploaded)
        else:
            fetch(location, uploaded)
        report = extractor_sandbox.scan(uploaded, into=canonical, policy=policy, advisories=advisories)
        yield Scanned(report, canonical)


@dataclass(frozen=True)
class Admitted:
    """An accepted artifact, unpacked and ready to run."""

    digest: str
    tree: Path
    manifest: Manifest
    top_folder: str | None


def admit(
    location: str, artifacts: Path, settings: "Settings | None" = None, namespace: str | None = None
) -> Admitted:
    """Have an accepted artifact of what the user named in a folder of artifacts.

    Raises findings.RejectedError, with the first finding, when the scan does not accept it, and when it is
    not signed as the settings want.
    """
    policy = settings.policy(namespace) if settings else None
    with scanned(location, policy.scan if policy else _STRICT) as result:
        if not result.report.accepted:
            first = next(findings.lines(result.report), "no finding says why")
            raise findings.RejectedError(
                f"{location} is not accepted: {first} (`extractor lint {location}` shows all)"
            )
        if settings and policy:
            signed.require(location, result.report.source_digest, policy, settings.trusted_root)
        return keep(result, artifacts)


def keep(result: Scanned, artifacts: Path) -> Admitted:
    """Put what the scan accepted into a folder of artifacts."""
    from extractor_artifacts import ArtifactStore

    return _admitted(ArtifactStore(artifacts).put(result.archive, result.report))


def stored(digest: str, artifacts: Path) -> Admitted:
    """Find an artifact that was admitted before. Raises ArtifactError when it is gone."""
    from extractor_artifacts import ArtifactStore

    return _admitted(ArtifactStore(artifacts).get(digest))


def _admitted(artifact: "Artifact") -> Admitted:
    manifest = artifact.report.manifest
    if manifest is None:
        raise findings.RejectedError(
            f"the scan report of {artifact.digest} has no manifest: scan the archive again"
        )
    return Admitted(artifact.digest, artifact.tree, manifest, artifact.report.top_folder)
