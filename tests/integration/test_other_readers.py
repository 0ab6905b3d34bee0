"""What is accepted is the same for every reader: nobody sees another archive than the one that was judged."""

import itertools
import random
from collections.abc import Iterable, Mapping

import pytest

from extractor_sandbox.judge import Outcome
from support import structure
from support.archives import (
    Entry,
    descriptor,
    judge_and_keep,
    make_files,
    make_tar,
    make_zip,
    pax_header,
    tar_entry,
)
from support.other_readers import TAR_READERS, ZIP_READERS, Files, Reader, by_zipfile, need_tools

pytestmark = pytest.mark.integration

PROGRAMS_SHARE = 16
"""Of how many archives one goes to the readers that are programs: each costs a process."""
NOTES = "assets/notes.txt"
FILES = make_files({NOTES: "hello\n" * 9, "assets/größe.md": "text", "processors/__init__.py": ""})
DIRECTORIES = ("assets/", "processors/")
ZIPS = {
    "stored": make_zip(FILES, comment=b"a comment"),
    "deflated": make_zip([Entry(*each, method=8, extra=b"\x0a\0\4\0abcd") for each in FILES.items()]),
    "streamed": make_zip(
        [Entry(*each, method=8, descriptor=descriptor(each[1])) for each in FILES.items() if each[1]]
    ),
    "with directories": make_zip(
        [
            *(Entry(name, mode=0o040755) for name in DIRECTORIES),
            *(Entry(*each, method=8) for each in FILES.items()),
        ]
    ),
}
_PAX = pax_header(path="assets/größe.md", mtime="1.5", size="4") + tar_entry("short", b"text")
TARS = {
    "ustar": b"".join(tar_entry(*each) for each in FILES.items()) + bytes(1024),
    "PAX": tar_entry("assets/", kind=b"5")
    + _PAX
    + b"".join(tar_entry(*each) for each in FILES.items() if each[0].isascii())
    + bytes(1024),
}


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    need_tools()


@pytest.mark.parametrize("archive", ZIPS.values(), ids=ZIPS)
def test_all_readers_agree_on_an_accepted_zip(archive: bytes) -> None:
    outcome, kept = judge_and_keep(archive)

    assert not outcome.findings
    assert {name: read(archive) for name, read in ZIP_READERS.items()} == dict.fromkeys(
        ZIP_READERS, by_zipfile(kept)
    )


@pytest.mark.parametrize("tar", TARS.values(), ids=TARS)
def test_all_readers_agree_on_an_accepted_tar(tar: bytes) -> None:
    outcome, kept = judge_and_keep(make_tar({}, end=tar))

    assert not outcome.findings
    assert {name: read(make_tar({}, end=tar)) for name, read in TAR_READERS.items()} == dict.fromkeys(
        TAR_READERS, by_zipfile(kept)
    )


@pytest.mark.parametrize("archive", ZIPS.values(), ids=ZIPS)
def test_all_readers_agree_on_a_canonical_archive(archive: bytes) -> None:
    _, kept = judge_and_keep(archive)

    assert [read(kept) for read in ZIP_READERS.values()] == [by_zipfile(archive)] * len(ZIP_READERS)


@pytest.mark.parametrize("form", ["stored", "deflated", "streamed"])
def test_a_zip_on_which_readers_differ_is_refused(form: str) -> None:
    archive = ZIPS[form]
    liars = itertools.chain(
        structure.lying_zips(archive),
        structure.twice_lying_zips(archive, 300, seed=1),
        structure.renamed_zips(archive),
        structure.joined_zips(archive, make_zip(make_files({NOTES: "another"}))),
    )

    assert differences(liars, ZIP_READERS) == []


@pytest.mark.parametrize("tar", TARS.values(), ids=TARS)
def test_a_tar_on_which_readers_differ_is_refused(tar: bytes) -> None:
    assert differences(structure.lying_tars(tar), TAR_READERS) == []


def test_the_lies_are_such_that_readers_differ() -> None:
    lies = [*structure.renamed_zips(ZIPS["stored"]), *structure.lying_zips(ZIPS["stored"])][::29]
    read = [[reader(archive) for reader in ZIP_READERS.values()] for archive in lies]

    assert sum(any(each != answers[0] for each in answers) for answers in read) > len(lies) / 10


def differences(
    archives: Iterable[bytes], readers: Mapping[str, Reader]
) -> list[tuple[int, str, Files | None]]:
    """Say which readers read an accepted archive otherwise: its number, the reader, and what it read."""
    chance, found, accepted, refused = random.Random(1), [], 0, 0
    for number, archive in enumerate(archives):
        outcome, kept = judge_and_keep(archive)
        if is_rejected(outcome):
            refused += 1
            continue
        accepted += 1
        ours = by_zipfile(kept)
        library, *programs = readers.items()
        asked = [library, *(programs if chance.randrange(PROGRAMS_SHARE) == 0 else ())]
        found += [(number, name, theirs) for name, read in asked if (theirs := read(archive)) != ours]
    assert accepted > 20 and refused > 100
    return found


def is_rejected(outcome: Outcome) -> bool:
    return any(finding.rejects for finding in outcome.findings)
