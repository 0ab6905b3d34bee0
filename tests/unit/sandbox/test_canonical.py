"""What is accepted is written in one way, whatever it came in."""

import hashlib
import io
import zipfile

from support.archives import Entry, judge_and_keep, make_files, make_tar, make_zip

FILES = make_files({"processors/core.py": "x = 1\n", "notes/größe.txt": "groß", "empty.txt": b""})


def written(archive: bytes) -> bytes:
    outcome, data = judge_and_keep(archive)
    assert outcome.findings == []
    return data


def test_equal_files_have_equal_bytes_however_they_are_packed() -> None:
    plain = written(make_zip(FILES))

    assert written(make_zip({f"folder/{path}": data for path, data in FILES.items()})) == plain
    assert (
        written(make_zip([Entry(*each, method=8, mode=0o100755) for each in reversed(FILES.items())]))
        == plain
    )
    assert (
        written(make_zip([Entry("void/", mode=0o040755), *(Entry(*each) for each in FILES.items())])) == plain
    )
    assert written(make_tar(FILES)) == plain


def test_the_bytes_are_the_same_on_every_machine() -> None:
    digest = hashlib.sha256(written(make_zip(FILES))).hexdigest()

    assert digest == "c97c80a0ece7e31524231c11b15dcda7f832625d9d5ad6122fce29bd457fac76"


def test_the_canonical_archive_is_its_own_canonical_archive() -> None:
    canonical = written(make_zip(FILES))

    assert written(canonical) == canonical


def test_other_readers_see_the_same_files() -> None:
    with zipfile.ZipFile(io.BytesIO(written(make_zip(FILES)))) as archive:
        entries = archive.infolist()
        contents = {entry.filename: archive.read(entry) for entry in entries}

    assert contents == FILES
    assert [entry.filename for entry in entries] == sorted(FILES)
    assert {(each.compress_type, each.external_attr >> 16, each.date_time) for each in entries} == {
        (zipfile.ZIP_STORED, 0o100644, (1980, 1, 1, 0, 0, 0))
    }
