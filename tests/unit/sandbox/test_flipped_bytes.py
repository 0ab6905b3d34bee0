"""Damage is never accepted as other content: every byte of small archives, and any damage of larger ones."""

import gzip
import io
import tempfile
import zipfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extractor_sandbox import canonical
from extractor_sandbox.extent import Extent
from extractor_sandbox.zip_reader import read
from support.archives import Entry, descriptor, judge_and_keep, make_tar, make_zip

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

MANIFEST = (
    'feature_extractor_name = "abc"\nversion = "1.0.0"\nfeatures = [{"feature_type": "embedding", '
    '"feature_name": "v", "embedding_dim": 1, "distance_metric": "dot"}]\n'
)
FILES = {"manifest.py": MANIFEST.encode(), "pipeline.py": b"", "spiece.model": b"model\0" * 3}
LARGE = {**FILES, "spiece.model": bytes(range(256)) * 400, **{f"a{n}/b.txt": b"%d" % n for n in range(60)}}
FLIPS = (0x01, 0x08, 0x80, 0xFF)
NAMES = st.from_regex(r"[a-zß_]{1,8}(/[a-z0-9_.-]{1,8}){0,3}", fullmatch=True)


def packed(files: dict[str, bytes], form: str) -> bytes:
    match form:
        case "tar.gz":
            return make_tar(files)
        case "stored":
            return make_zip(files, comment=b"hi")
        case "deflated":
            return make_zip([Entry(*each, method=8, extra=b"\x0a\0\2\0ab") for each in files.items()])
        case _:
            return make_zip(
                [Entry(*each, method=8, descriptor=descriptor(each[1])) for each in files.items()]
            )


FORMS = pytest.mark.parametrize("form", ["stored", "deflated", "streamed", "tar.gz"])


@FORMS
def test_a_flipped_byte_is_never_accepted_with_other_content(form: str) -> None:
    archive = packed(FILES, form)
    accepted = {flipped for flipped in flips(archive) if kept(flipped) is not None}

    assert len(accepted) < len(archive) * len(FLIPS) / 2
    assert {frozenset((kept(each) or {}).items()) for each in accepted} == {frozenset(FILES.items())}


def test_a_flipped_byte_within_a_tar_never_loses_a_file() -> None:
    """Behind gzip's checksum it is another archive, whose content may differ; its files are all there."""
    tar = gzip.decompress(packed(FILES, "tar.gz"))
    found = [kept(make_tar({}, end=flipped)) for flipped in flips(tar[:512])]

    assert {len(files) for files in found if files is not None} <= {len(FILES)}


@FORMS
def test_a_truncated_archive_is_never_accepted(form: str) -> None:
    archive = packed(FILES, form)

    assert [size for size in range(len(archive)) if kept(archive[:size]) is not None] == []


@FORMS
@quick
@given(data=st.data())
def test_damage_to_a_larger_archive_is_never_accepted_with_other_content(
    form: str, data: st.DataObject
) -> None:
    archive = packed(LARGE, form)
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(archive))] * 2)))
    into = data.draw(st.sampled_from([archive[:start], archive[: start + 1], archive]))
    damaged = into + data.draw(st.binary(max_size=4)) + archive[stop:]

    assert kept(damaged) in (None, LARGE)


@FORMS
def test_two_archives_in_one_file_are_never_accepted(form: str) -> None:
    one, other = packed(FILES, form), packed(LARGE, form)

    assert [kept(both) for both in (one + other, other + one, one + one, one + b"\0" * 512)] == [None] * 4


@quick
@given(files=st.dictionaries(NAMES, st.binary(max_size=300), max_size=8))
def test_what_the_writer_writes_the_reader_reads(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryFile() as into:
        writer = canonical.Writer(into)
        extents = {name: writer.add(name, [files[name][:7], files[name][7:]]) for name in sorted(files)}
        writer.close()
        archive = Extent(into.fileno(), 0, into.seek(0, io.SEEK_END))

        members = {member.path: b"".join(member.pieces()) for member in read(archive)}
        assert members == files == {name: extent.content() for name, extent in extents.items()}


def flips(archive: bytes) -> Iterator[bytes]:
    for position in range(len(archive)):
        for flip in FLIPS:
            yield archive[:position] + bytes([archive[position] ^ flip]) + archive[position + 1 :]


def kept(archive: bytes) -> dict[str, bytes] | None:
    """Read what is kept of an archive; None if it is rejected."""
    outcome, written = judge_and_keep(archive)
    if any(finding.rejects for finding in outcome.findings):
        return None
    with zipfile.ZipFile(io.BytesIO(written)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}
