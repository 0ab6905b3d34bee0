"""What other programs make of an archive: names and contents, or None where they complain."""

import contextlib
import gzip
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from support import peers

Files = dict[str, bytes]
Reader = Callable[[bytes], Files | None]


def need_tools() -> None:
    """Skip a test whose programs are not installed, and fail it in CI."""
    absent = [name for name in ("unzip", "bsdtar", "tar") if shutil.which(name) is None]
    if absent:
        peers.missing(f"{', '.join(absent)} missing: install unzip and libarchive-tools")


def by_zipfile(archive: bytes) -> Files | None:
    """Read as Python's zipfile does, from the directory at the end."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with zipfile.ZipFile(io.BytesIO(archive)) as opened:
                entries = [each for each in opened.infolist() if not each.is_dir()]
                return {each.filename: opened.read(each) for each in entries}
    except (
        zipfile.BadZipFile,
        zlib.error,
        ValueError,
        NotImplementedError,
        RuntimeError,
        EOFError,
        UserWarning,
    ):
        return None


def by_unzip(archive: bytes) -> Files | None:
    """Read as Info-ZIP does."""
    return _unpacked(archive, ["unzip", "-qq", "-o", "archive", "-d", "into"])


def by_bsdtar(archive: bytes) -> Files | None:
    """Read as libarchive does where it can go back: from the directory at the end."""
    return _unpacked(archive, ["bsdtar", "-xf", "archive", "-C", "into"])


def by_bsdtar_streaming(archive: bytes) -> Files | None:
    """Read as libarchive does where it cannot: from the members' own headers."""
    return _unpacked(archive, ["sh", "-c", "cat archive | bsdtar -xf - -C into"])


def by_tarfile(archive: bytes) -> Files | None:
    """Read as Python's tarfile does."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
            members = opened.getmembers()
            if not all(member.isreg() or member.isdir() for member in members):
                return None
            files = [(member.name, opened.extractfile(member)) for member in members if member.isreg()]
            return {name: content.read() for name, content in files if content is not None}
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError):
        return None


def by_gnu_tar(archive: bytes) -> Files | None:
    """Read as GNU tar does."""
    return _unpacked(archive, ["tar", "--no-same-owner", "-xzf", "archive", "-C", "into"])


ZIP_READERS: dict[str, Reader] = {
    "zipfile": by_zipfile,
    "unzip": by_unzip,
    "bsdtar": by_bsdtar,
    "bsdtar, streaming": by_bsdtar_streaming,
}
TAR_READERS: dict[str, Reader] = {"tarfile": by_tarfile, "GNU tar": by_gnu_tar, "bsdtar": by_bsdtar}


def _unpacked(archive: bytes, command: list[str]) -> Files | None:
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("archive").write_bytes(archive)
        Path("into").mkdir()
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        ended = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False
        )
        if ended.returncode:
            return None
        paths = [Path(root) / name for root, _, names in os.walk("into") for name in names]
        return {str(path.relative_to("into")): path.read_bytes() for path in paths if not path.is_symlink()}
