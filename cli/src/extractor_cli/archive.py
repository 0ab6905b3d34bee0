"""From a path that a user names to an accepted artifact: fetched or packed, scanned, stored."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from extractor_apis.errors import ExtractorError
from extractor_apis.manifest import Manifest
from extractor_apis.scan import ScanReport
from extractor_cli import findings


@dataclass(frozen=True)
class Scanned:
    """A report, and the canonical archive if it was accepted."""

    report: ScanReport
    archive: Path


class RejectedError(ExtractorError):
    """The scan does not accept the archive."""


@contextlib.contextmanager
def scanned(location: str) -> Iterator[Scanned]:
    """Fetch an archive, or pack a folder, and scan it; the files are gone afterwards."""
    import extractor_sandbox
    from extractor_artifacts import fetch

    with tempfile.TemporaryDirectory(prefix="extractor-") as folder:
        uploaded, canonical = Path(folder, "uploaded"), Path(folder, "canonical.zip")
        if Path(location).is_dir():
            extractor_sandbox.pack(Path(location), uploaded)
        else:
            fetch(location, uploaded)
        yield Scanned(extractor_sandbox.scan(uploaded, into=canonical), canonical)


@dataclass(frozen=True)
class Admitted:
    """An accepted artifact, unpacked and ready to run."""

    digest: str
    tree: Path
    manifest: Manifest
    top_folder: str | None


def admit(location: str, store: Path) -> Admitted:
    """Have an accepted artifact of what the user named in the store's artifacts.

    Raises RejectedError, with the first finding, when the scan does not accept it.
    """
    from extractor_artifacts import ArtifactStore

    with scanned(location) as result:
        report = result.report
        if not report.accepted or report.manifest is None:
            first = next((line for line in findings.lines(report) if line), "rejected")
            raise RejectedError(
                f"{location} is not accepted: {first} (`extractor lint {location}` shows all)"
            )
        artifact = ArtifactStore(store).put(result.archive, report)
    return Admitted(artifact.digest, artifact.tree, report.manifest, report.top_folder)
