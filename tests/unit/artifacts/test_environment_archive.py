"""Environments as archives: the same bytes for the same folder, and nothing but plain files."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from extractor_artifacts import ArtifactError, digest
from extractor_artifacts.environments import archive

MAX_BYTES = 1 << 20


def make_packages(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def make_archive(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"") -> tuple[tarfile.TarInfo, bytes]:
    made = tarfile.TarInfo(name)
    made.type, made.size, made.linkname = kind, len(content), "/etc/passwd"
    return made, content


def test_unpacked_archive_has_what_was_packed_and_nobody_can_write_it(tmp_path: Path) -> None:
    files = {"one/__init__.py": "x = 1", "one/deep/two.py": "y = 2", "empty.py": ""}
    packages = make_packages(tmp_path / "packages", files)
    (packages / "bin").mkdir()
    (packages / "bin" / "tool").write_text("#!")
    (packages / "bin" / "tool").chmod(0o755)

    archive.pack(packages, tmp_path / "tar")
    archive.unpack(tmp_path / "tar", tmp_path / "environment", max_bytes=MAX_BYTES)

    found = {
        str(path.relative_to(tmp_path / "environment")): (path.read_text(), path.stat().st_mode & 0o777)
        for path in (tmp_path / "environment").rglob("*")
        if path.is_file()
    }
    assert found == {name: (text, 0o444) for name, text in files.items()} | {"bin/tool": ("#!", 0o555)}
    assert (tmp_path / "environment" / "one").stat().st_mode & 0o777 == 0o555


def test_same_files_are_the_same_bytes_whenever_and_by_whomever_they_were_written(tmp_path: Path) -> None:
    files = {"b.py": "b", "a/z.py": "z", "a.b/c.py": "c"}
    first = make_packages(tmp_path / "first", files)
    second = make_packages(tmp_path / "second", dict(reversed(files.items())))
    os.utime(second / "b.py", (1, 1))
    (second / "b.py").chmod(0o600)

    archive.pack(first, tmp_path / "first.tar")
    archive.pack(second, tmp_path / "second.tar")

    assert digest.of_file(tmp_path / "first.tar") == digest.of_file(tmp_path / "second.tar")


def test_link_is_not_packed(tmp_path: Path) -> None:
    packages = make_packages(tmp_path / "packages", {"a.py": "a"})
    (packages / "b.py").symlink_to("/etc/passwd")

    with pytest.raises(ArtifactError, match=r"b\.py is a link or a device"):
        archive.pack(packages, tmp_path / "tar")


@pytest.mark.parametrize(
    ("members", "want"),
    [
        pytest.param([member("/a.py")], "'/a.py' is a link, a device or leaves it", id="an absolute path"),
        pytest.param([member("a/../../b.py")], "leaves it", id="a path out of the folder"),
        pytest.param([member("a", tarfile.SYMTYPE)], "'a' is a link", id="a symbolic link"),
        pytest.param([member("a", tarfile.LNKTYPE)], "'a' is a link", id="a hard link"),
        pytest.param([member("a", tarfile.CHRTYPE)], "'a' is a link", id="a device"),
        pytest.param([member("."), member("a")], "'.' is a link", id="the folder itself"),
        pytest.param([member("a"), member("a")], "no archive of an environment", id="a file twice"),
        pytest.param([member("a"), member("a/b")], "no archive of an environment", id="a file in a file"),
        pytest.param([member("a/b")], "no archive of an environment", id="a file whose folder is not there"),
        pytest.param(
            [member("a", content=bytes(MAX_BYTES)), member("b", content=b"x")],
            "unpacks to more than 1,048,576 bytes",
            id="too many bytes",
        ),
    ],
)
def test_archive_that_we_did_not_write_leaves_nothing(
    tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]], want: str
) -> None:
    made = make_archive(tmp_path / "tar", *members)

    with pytest.raises(ArtifactError, match=want):
        archive.unpack(made, tmp_path / "environment", max_bytes=MAX_BYTES)

    assert list(tmp_path.iterdir()) == [made]


def test_file_that_is_no_tar_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tar").write_bytes(b"x" * 2048)

    with pytest.raises(ArtifactError, match="no archive of an environment"):
        archive.unpack(tmp_path / "tar", tmp_path / "environment", max_bytes=MAX_BYTES)
