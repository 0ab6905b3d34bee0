"""Errands are folders: open until they are closed, one for a verb of a version, whatever dies meanwhile."""

import os
from pathlib import Path

import pytest

from extractor_operator.endpoint.capability import Verb
from extractor_operator.endpoint.errands import Errands


@pytest.fixture
def errands(tmp_path: Path) -> Errands:
    return Errands(tmp_path / "errands")


def test_an_errand_has_what_it_takes_along(errands: Errands, tmp_path: Path) -> None:
    source = tmp_path / "source.zip"
    source.write_bytes(b"archive")

    errand = errands.open("uid", Verb.SCAN, "first", {"source": source, "about": b"text"})

    assert (errand.folder / "source").samefile(source)
    assert (errand.folder / "about").read_bytes() == b"text"
    assert errands.find("uid", Verb.SCAN) == errand


def test_opening_the_same_errand_again_keeps_what_was_handed_in(errands: Errands) -> None:
    (errands.open("uid", Verb.SCAN, "first", {}).folder / "report").write_bytes(b"{}")

    again = errands.open("uid", Verb.SCAN, "first", {"source": b"changed"})

    assert again.file("report") is not None and again.file("source") is None


def test_another_errand_of_that_verb_ends_the_one_before(errands: Errands) -> None:
    before = errands.open("uid", Verb.SCAN, "first", {"source": b"1"})
    other = errands.open("uid", Verb.ENVIRONMENT, "other", {})

    errand = errands.open("uid", Verb.SCAN, "second", {"source": b"2"})

    assert not before.folder.exists()
    assert (errands.find("uid", Verb.SCAN), errands.find("uid", Verb.ENVIRONMENT)) == (errand, other)


def test_what_is_handed_in_too_late_opens_nothing(errands: Errands) -> None:
    late = errands.open("uid", Verb.SCAN, "first", {}).folder
    errands.close("uid", Verb.SCAN)

    late.mkdir(parents=True)
    (late / "report").write_bytes(b"{}")

    assert errands.find("uid", Verb.SCAN) is None
    assert errands.open("uid", Verb.SCAN, "first", {}).file("report") is None


def test_what_is_dropped_is_not_there_any_more(errands: Errands) -> None:
    errand = errands.open("uid", Verb.SCAN, "first", {"source": b"1", "about": b"2"})

    errand.drop("source", "never-there")

    assert (errand.file("source"), errands.find("uid", Verb.SCAN)) == (None, errand)
    assert errand.file("about")


def test_closing_what_is_not_open_does_nothing(errands: Errands) -> None:
    errands.close("uid", Verb.SCAN)

    assert errands.find("uid", Verb.SCAN) is None


def test_a_sweep_removes_what_was_for_versions_that_are_gone(errands: Errands) -> None:
    kept = errands.open("kept", Verb.SCAN, "first", {})
    fresh = errands.open("fresh", Verb.SCAN, "first", {})
    gone = errands.open("gone", Verb.SCAN, "first", {})
    for errand in (kept, gone):
        os.utime(errand.folder.parents[1], (0, 0))

    assert errands.sweep({"kept"}, older_than=3600) == 1
    assert [each.folder.exists() for each in (kept, fresh, gone)] == [True, True, False]
