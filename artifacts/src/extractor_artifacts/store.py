"""The archives that were accepted, by digest, on one machine.

``blobs/sha256/<hex>`` is the canonical archive, ``<hex>.json`` beside it its scan report,
``trees/sha256/<hex>/`` what runs. Each appears by a rename, the tree last: a tree that is there is whole.
Only the holder of the store's lock writes, so a hidden entry that it meets was left by a process that died.
"""

import contextlib
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pydantic

from extractor_apis.scan import ScanReport
from extractor_artifacts import digest as digests
from extractor_artifacts import lock, unpack
from extractor_artifacts.digest import Digest
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.spool import TEMPORARY_PREFIX, Spool

_CHUNK = 1024 * 1024
_REPORT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Artifact:
    """A stored archive, ready to run."""

    digest: Digest
    tree: Path
    """Its members, unpacked and read-only."""
    report: ScanReport
    """The latest scan that accepted it."""


class ArtifactStore:
    """A folder of artifacts that any number of processes may share."""

    def __init__(self, root: Path, *, patience: float = 120.0) -> None:
        """Use the folder ``root``, which need not exist; wait ``patience`` seconds for another writer."""
        self._root = root.absolute()
        self._blobs = self._root / "blobs" / "sha256"
        self._trees = self._root / "trees" / "sha256"
        self._patience = patience

    def put(self, archive: Path, report: ScanReport) -> Artifact:
        """Store a canonical archive with its scan report; copy nothing that is there already.

        Raises ArtifactError if the scan did not accept it, or if the archive is not the one that it accepted.
        """
        if not report.accepted or report.artifact_digest is None:
            raise ArtifactError(f"{archive} is not stored: the scan did not accept it; see its findings")
        digest = digests.parse(report.artifact_digest)
        blob, tree = self._blob(digest), self._tree(digest)
        with self._writing(f"store {digest}"):
            if not (blob.is_file() and tree.is_dir()):
                _copy(archive, blob, digest)
            _write(self._report(digest), report.model_dump_json().encode(), origin=f"the report of {digest}")
            if not tree.is_dir():
                unpack.unpack(blob, tree)
        return Artifact(digest, tree, report)

    def get(self, digest: str) -> Artifact:
        """Find an artifact, unpacking it again if its tree is gone; raise ArtifactError if there is none.

        The tree is trusted as it stands; the archive is checked before it is unpacked.
        """
        known = digests.parse(digest)
        report, blob, tree = self._read_report(known), self._blob(known), self._tree(known)
        if not tree.is_dir():
            with self._writing(f"store {known}"):
                if not tree.is_dir():
                    _check(blob, known)
                    unpack.unpack(blob, tree)
        return Artifact(known, tree, report)

    def archive(self, digest: str) -> Path | None:
        """Say where the canonical archive of an artifact is; None if there is no such artifact."""
        blob = self._blob(digests.parse(digest))
        return blob if blob.is_file() else None

    def sweep(self, referenced: Collection[str], *, older_than: float) -> list[Digest]:
        """Remove, and name, the artifacts that nobody refers to and nobody has put for so many seconds."""
        if not self._blobs.is_dir():
            return []
        before = time.time() - older_than
        kept = {digests.parse(digest) for digest in referenced}
        with self._writing("sweep"):
            stored = {digests.parse(f"sha256:{path.stem}") for path in self._blobs.iterdir()}
            removed = [each for each in sorted(stored - kept) if self._last_put(each) < before]
            for digest in removed:
                self._remove(digest)
        return removed

    def _last_put(self, digest: Digest) -> float:
        try:
            # Every put writes the report, also of an artifact that is there.
            return self._report(digest).stat().st_mtime
        except FileNotFoundError:
            # A removal died half-way.
            return 0.0

    def _remove(self, digest: Digest) -> None:
        """Remove an artifact so that at any moment it is either there or not: without a report it is not."""
        self._report(digest).unlink(missing_ok=True)
        tree = self._tree(digest)
        if tree.is_dir():
            # Under a hidden name first: a tree that is there is whole.
            unpack.remove(tree.rename(tree.with_name(f"{TEMPORARY_PREFIX}{tree.name}")))
        # Last, as it is what the next sweep finds.
        self._blob(digest).unlink(missing_ok=True)

    def _blob(self, digest: Digest) -> Path:
        return self._blobs / digests.digits(digest)

    def _report(self, digest: Digest) -> Path:
        return self._blobs / f"{digests.digits(digest)}.json"

    def _tree(self, digest: Digest) -> Path:
        return self._trees / digests.digits(digest)

    def _read_report(self, digest: Digest) -> ScanReport:
        path = self._report(digest)
        try:
            with path.open("rb") as file:
                return ScanReport.model_validate_json(file.read(_REPORT_BYTES))
        except FileNotFoundError:
            raise ArtifactError(f"no artifact {digest} in {self._root}: store its archive first") from None
        except (OSError, pydantic.ValidationError) as err:
            raise ArtifactError(
                f"cannot read the report of {digest} ({path}): it is damaged, or a newer version wrote it; "
                "store the archive again"
            ) from err

    @contextlib.contextmanager
    def _writing(self, doing: str) -> Iterator[None]:
        try:
            for folder in (self._blobs, self._trees):
                folder.mkdir(parents=True, exist_ok=True)
            with lock.exclusive(self._root / "lock", seconds=self._patience):
                self._sweep()
                yield
        except OSError as err:
            raise ArtifactError(f"cannot {doing} in {self._root}: {err}") from err

    def _sweep(self) -> None:
        for folder in (self._blobs, self._trees):
            for leftover in folder.glob(f"{TEMPORARY_PREFIX}*"):
                if leftover.is_dir():
                    unpack.remove(leftover)
                else:
                    leftover.unlink()


def _copy(archive: Path, blob: Path, digest: Digest) -> None:
    size = archive.stat().st_size
    with archive.open("rb") as file, Spool(blob, origin=str(archive), max_bytes=size) as spool:
        while chunk := file.read(_CHUNK):
            spool.write(chunk)
        if spool.digest != digest:
            raise ArtifactError(f"digest mismatch for {archive}: expected {digest}, got {spool.digest}")
        spool.commit()


def _check(blob: Path, digest: Digest) -> None:
    found = digests.of_file(blob)
    if found != digest:
        raise ArtifactError(f"{blob} is damaged, its digest is {found}: store the archive again")


def _write(path: Path, content: bytes, *, origin: str) -> None:
    with Spool(path, origin=origin, max_bytes=_REPORT_BYTES) as spool:
        spool.write(content)
        spool.commit()
