"""An environment as one file, so that it can be named by its digest and sent to pods.

A tar without compression that is a function of the folder: sorted, without times, owners and links. Its root
is what becomes the last entry of ``sys.path``. Who made one may have been taken over by a package's code, so
nothing of it is believed but the names and the bytes of plain files.
"""

import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from extractor_artifacts import unpack as trees
from extractor_artifacts.errors import ArtifactError
from extractor_artifacts.spool import TEMPORARY_PREFIX

_CHUNK = 1024 * 1024
_MAX_MEMBERS = 200_000
_FILE, _PROGRAM, _FOLDER = 0o444, 0o555, 0o555


def pack(packages: Path, into: Path) -> None:
    """Write a folder of installed distributions to a file; the same folder is always the same bytes.

    Raises ArtifactError for anything that is neither a plain file nor a folder: a link leads elsewhere in
    the pod that unpacks it.
    """
    with into.open("wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in _below(packages):
            member = _member(path, path.relative_to(packages).as_posix())
            if member.isdir():
                tar.addfile(member)
                continue
            with path.open("rb") as content:
                tar.addfile(member, content)


def unpack(archive: Path, folder: Path, *, max_bytes: int) -> None:
    """Make the folder appear, whole and read-only; of the bytes, at most so many may be files.

    Raises ArtifactError if the archive is not one that `pack` writes; OSError, such as a full disk, passes
    through. Either way nothing of it stays.
    """
    # A neighbour: renaming a read-only folder into another one needs a permission that it does not have.
    staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f"{TEMPORARY_PREFIX}{folder.name}."))
    try:
        _fill(staging, archive, max_bytes)
        for parent, _, _ in os.walk(staging, topdown=False):
            os.chmod(parent, _FOLDER)
        staging.rename(folder)
    except BaseException:
        trees.remove(staging)
        raise


def _below(folder: Path) -> Iterator[Path]:
    """Name everything below a folder: a folder before what is in it, names in order."""
    for path in sorted(folder.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _below(path)


def _member(path: Path, name: str) -> tarfile.TarInfo:
    status = path.lstat()
    member = tarfile.TarInfo(name)
    if stat.S_ISDIR(status.st_mode):
        member.type, member.mode = tarfile.DIRTYPE, _FOLDER
        return member
    if not stat.S_ISREG(status.st_mode):
        raise ArtifactError(f"{path} is a link or a device: an environment has files and folders only")
    member.size = status.st_size
    member.mode = _PROGRAM if status.st_mode & stat.S_IXUSR else _FILE
    return member


def _fill(staging: Path, archive: Path, max_bytes: int) -> None:
    size = 0
    try:
        with tarfile.open(archive, mode="r:") as tar:
            for count, member in enumerate(tar, 1):
                size += member.size
                if count > _MAX_MEMBERS or size > max_bytes:
                    raise ArtifactError(
                        f"{archive} unpacks to more than {max_bytes:,} bytes or {_MAX_MEMBERS:,} members"
                    )
                target = staging / _checked(archive, member)
                if member.isdir():
                    target.mkdir()
                    continue
                content = tar.extractfile(member)
                assert content is not None
                with content, target.open("xb") as file:
                    shutil.copyfileobj(content, file, _CHUNK)
                    os.fchmod(file.fileno(), _PROGRAM if member.mode & stat.S_IXUSR else _FILE)
    except (tarfile.TarError, FileExistsError, FileNotFoundError, NotADirectoryError, ValueError) as err:
        raise ArtifactError(f"{archive} is no archive of an environment: {err}") from err


def _checked(archive: Path, member: tarfile.TarInfo) -> str:
    path = PurePosixPath(member.name)
    is_inside = not path.is_absolute() and ".." not in path.parts and path.parts
    if not is_inside or not (member.isdir() or member.isreg()):
        raise ArtifactError(
            f"{archive} is no archive of an environment: {member.name!r} is a link, a device or leaves it"
        )
    return member.name
