"""The canonical archive as a folder that nobody can change by accident.

Our own sandbox wrote the archive and its digest has been checked, so the zip module may read it; the few
things that such an archive never has are refused all the same, for an archive may have taken its worker over.
"""

import os
import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.spool import TEMPORARY_PREFIX

_CHUNK = 1024 * 1024


def unpack(archive: Path, tree: Path) -> None:
    """Make the folder ``tree`` appear, whole, durable and read-only (files 0444, folders 0555).

    Raises ArtifactError if the archive is not canonical; OSError, such as a full disk, passes through. Either
    way nothing of it stays.
    """
    # A neighbour: renaming a read-only folder into another one needs a permission that it does not have.
    staging = Path(tempfile.mkdtemp(dir=tree.parent, prefix=f"{TEMPORARY_PREFIX}{tree.name}."))
    try:
        _fill(staging, archive)
        _seal(staging)
        staging.rename(tree)
    except BaseException:
        remove(staging)
        raise


def remove(tree: Path) -> None:
    """Delete a folder of read-only folders."""
    for folder, _, _ in os.walk(tree):
        os.chmod(folder, 0o700)
    shutil.rmtree(tree)


def _fill(staging: Path, archive: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as source:
            # Stored members that come to more than the archive share their bytes: a bomb.
            if sum(member.file_size for member in source.infolist()) > archive.stat().st_size:
                raise ArtifactError(f"{archive} is no canonical archive: its members share bytes")
            for member in source.infolist():
                target = staging / _checked(member)
                if member.is_dir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                with source.open(member) as content, target.open("xb") as file:
                    shutil.copyfileobj(content, file, _CHUNK)
                    file.flush()
                    os.fchmod(file.fileno(), 0o444)
                    os.fsync(file.fileno())
    except (zipfile.BadZipFile, FileExistsError, NotADirectoryError) as err:
        raise ArtifactError(f"{archive} is no canonical archive: {err}") from err


def _checked(member: zipfile.ZipInfo) -> str:
    path = PurePosixPath(member.filename)
    if path.is_absolute() or ".." in path.parts or member.compress_type != zipfile.ZIP_STORED:
        raise ArtifactError(f"not a canonical archive: member {member.filename!r} is compressed or leaves it")
    return member.filename


def _seal(staging: Path) -> None:
    for folder, _, _ in os.walk(staging, topdown=False):
        os.chmod(folder, 0o555)
        _sync(Path(folder))


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
