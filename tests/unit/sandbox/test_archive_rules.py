"""Names, kinds and sizes of members are judged before anything is unpacked."""

import tempfile

import pytest

from extractor_sandbox import limits
from extractor_sandbox.extent import Extent
from extractor_sandbox.rules import archive
from extractor_sandbox.tree import Tree
from support.archives import Entry, judge_bytes, make_files, make_zip, rejections

FILES = [Entry(name, data) for name, data in make_files({}).items()]


def judged(*entries: Entry) -> set[str]:
    return rejections(judge_bytes(make_zip([*FILES, *entries])))


def named(*names: str) -> set[str]:
    return judged(*(Entry(name, mode=0o040755 if name.endswith("/") else 0o100644) for name in names))


@pytest.mark.parametrize(
    ("names", "want"),
    [
        pytest.param(["a.txt", "b.txt"], set(), id="different names"),
        pytest.param(["notes/", "notes/a.txt"], set(), id="a folder and what is in it"),
        pytest.param(["a.txt", "a.txt"], {"Z03"}, id="one name twice"),
        pytest.param(["a.txt", "A.txt"], {"Z03"}, id="upper and lower case"),
        pytest.param(["notes/a.txt", "Notes/b.txt"], {"Z03"}, id="folders in upper and lower case"),
        pytest.param(["straße.txt", "STRASSE.txt"], {"Z03"}, id="one letter that folds to two"),
        pytest.param(["notes", "notes/a.txt"], {"Z10"}, id="a file with something in it"),
        pytest.param(["notes.txt", "notes.txt/"], {"Z10"}, id="a file that is a folder"),
    ],
)
def test_no_two_paths_are_one(names: list[str], want: set[str]) -> None:
    assert named(*names) == want


@pytest.mark.parametrize(
    ("name", "want"),
    [
        pytest.param("notes/größe-1.2_b.txt", set(), id="letters, digits and marks"),
        pytest.param(f"{'f/' * 15}a.txt", set(), id="16 segments"),
        pytest.param(f"{'x' * 251}.txt", set(), id="255 bytes in a segment"),
        pytest.param("../a.txt", {"Z09"}, id="climbing out"),
        pytest.param("notes/../../a.txt", {"Z09"}, id="climbing out later"),
        pytest.param("/etc/a.txt", {"Z09"}, id="absolute"),
        pytest.param("./a.txt", {"Z09"}, id="a dot"),
        pytest.param("notes//a.txt", {"Z09"}, id="an empty segment"),
        pytest.param("notes\\a.txt", {"Z09"}, id="a backslash"),
        pytest.param("C:a.txt", {"Z09"}, id="a colon"),
        pytest.param("a\n.txt", {"Z09"}, id="a line feed"),
        pytest.param("a\u200d.txt", {"Z09"}, id="a joiner"),
        pytest.param("a\u202e.txt", {"Z09"}, id="a reversing character"),
        pytest.param("a\ue000.txt", {"Z09"}, id="a private character"),
        pytest.param("a\u0378.txt", {"Z09"}, id="an unassigned character"),
        pytest.param(" a.txt", {"Z09"}, id="a leading blank"),
        pytest.param("notes /a.txt", {"Z09"}, id="a trailing blank"),
        pytest.param("notes./a.txt", {"Z09"}, id="a trailing dot"),
        pytest.param("gro\u0308ße.txt", {"Z09"}, id="a decomposed letter"),
        pytest.param("größe.py", {"Z09"}, id="a module that is not ASCII"),
        pytest.param(f"{'f/' * 16}a.txt", {"Z09"}, id="17 segments"),
        pytest.param(f"{'x' * 252}.txt", {"Z09"}, id="256 bytes in a segment"),
        pytest.param("/".join(["x" * 170] * 3) + ".txt", {"Z09"}, id="516 bytes in all"),
    ],
)
def test_names_have_one_reading_inside_of_the_root(name: str, want: set[str]) -> None:
    assert named(name) == want


@pytest.mark.parametrize(
    ("entry", "want"),
    [
        pytest.param(Entry("a.txt", b"x", mode=0), set(), id="no mode"),
        pytest.param(Entry("a.txt", b"/etc", mode=0o120777), {"Z07"}, id="a symbolic link"),
        pytest.param(Entry("a.txt", mode=0o060644), {"Z07"}, id="a device"),
        pytest.param(Entry("a.txt", mode=0o104755), {"Z07"}, id="setuid"),
        pytest.param(Entry("a.txt", mode=0o102755), {"Z07"}, id="setgid"),
        pytest.param(Entry("notes/", mode=0o041777), {"Z07"}, id="a sticky folder"),
        pytest.param(Entry("notes/", mode=0o100644), {"Z07"}, id="a folder that is a file"),
        pytest.param(Entry("notes", mode=0o040755), {"Z07"}, id="a file that is a folder"),
    ],
)
def test_members_are_plain_files_and_folders(entry: Entry, want: set[str]) -> None:
    assert judged(entry) == want


@pytest.mark.parametrize(
    ("files", "want"), [(1_000, set()), (1_001, {"Z11"})], ids=["1,000 files", "1,001 files"]
)
def test_files_are_counted(files: int, want: set[str]) -> None:
    assert named(*(f"part_{number}.txt" for number in range(files - 2))) == want


def test_folders_are_not_counted_as_files() -> None:
    assert named(*(f"part_{number}/" for number in range(1_500))) == set()


def test_all_sizes_together_are_bounded() -> None:
    # 51 members of 10 MiB, which may compress as well as they like; nothing of them is inflated.
    entries = [Entry(f"{number}.csv", method=8, raw=b"x", size=10 << 20) for number in range(51)]

    assert judged(*entries) == {"Z11"}


@pytest.mark.parametrize(
    ("room", "want"), [(9_999, ["Z11"]), (10_000, [])], ids=["too little room", "enough room"]
)
def test_archives_within_count_with_what_they_unpack_to(room: int, want: list[str]) -> None:
    nested = make_zip([Entry(name, b"x" * 5_000, method=8) for name in ("a.npy", "b.npy")])
    with tempfile.TemporaryFile() as file:
        file.write(nested)
        file.flush()
        weights = limits.UNPACKED_BYTES - room
        files = {
            "a.npz": Extent(file.fileno(), 0, len(nested)),
            "b.safetensors": Extent(file.fileno(), len(nested), weights),
        }

        found = list(archive.nested_sizes_are_bounded.judge(Tree(files, None)))

    assert [finding.rule for finding in found] == want
