"""Whatever bytes come in, a verdict comes out; and what is accepted is what was packed."""

import io
import zipfile

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extractor_sandbox import limits
from support.archives import Entry, descriptor, judge_and_keep, judge_bytes, make_files, make_tar, make_zip

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

NAMES = st.from_regex(r"[a-z_]{1,8}(/[a-z0-9_]{1,8}){0,3}\.model", fullmatch=True)
CONTENTS = st.binary(max_size=200).map(lambda data: b"\x00" + data)
TREES = st.dictionaries(NAMES, CONTENTS, max_size=6)


def packed(files: dict[str, bytes], form: str) -> bytes:
    if form == "tar":
        return make_tar(files)
    if form == "streamed":
        return make_zip([Entry(*each, method=8, descriptor=descriptor(each[1])) for each in files.items()])
    return make_zip([Entry(*each, method=8 if form == "deflated" else 0) for each in files.items()])


def unpacked(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


FORMS = st.sampled_from(["stored", "deflated", "streamed", "tar"])


@quick
@given(files=TREES, form=FORMS)
def test_members_come_out_as_they_went_in(files: dict[str, bytes], form: str) -> None:
    outcome, written = judge_and_keep(packed(make_files(files), form))

    # Two names may be one to some disk, or a file and a folder: then nothing is accepted.
    assert outcome.findings or unpacked(written) == make_files(files)
    assert {finding.rule for finding in outcome.findings} <= {"Z03", "Z10"}


@quick
@given(form=FORMS, data=st.data())
def test_a_flipped_byte_is_never_accepted_with_other_content(form: str, data: st.DataObject) -> None:
    files = make_files({"processors/core.py": "x = 1\n" * 20, "weights/spiece.model": bytes(range(256))})
    archive = bytearray(packed(files, form))
    archive[data.draw(st.integers(0, len(archive) - 1))] ^= data.draw(st.integers(1, 255))

    outcome, written = judge_and_keep(bytes(archive))

    assert outcome.findings or sorted(unpacked(written).values()) == sorted(files.values())


@quick
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda data: b"PK\3\4" + data)))
def test_any_bytes_end_in_a_verdict(data: bytes) -> None:
    assert judge_bytes(data).findings


@quick
@given(st.data())
def test_any_cut_and_paste_of_an_archive_ends_in_a_verdict(data: st.DataObject) -> None:
    archive = make_zip(make_files({"weights/model.npz": make_zip({"a.npy": b"x" * 50})}))
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(archive))] * 2)))
    mixed = archive[:start] + data.draw(st.binary(max_size=50)) + archive[stop:]

    outcome, written = judge_and_keep(mixed)

    assert outcome.findings or unpacked(written)


@quick
@given(st.text(max_size=200))
def test_any_code_ends_in_a_verdict(code: str) -> None:
    content = code.encode(errors="surrogatepass")

    assert len(judge_bytes(make_zip(make_files({"core.py": content}))).findings) <= limits.FINDINGS + 1


WORDS = st.sampled_from(
    [
        "version",
        "=",
        '"1.0.0"',
        "features",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        ":",
        ",",
        ".",
        "+",
        "-",
        "*",
        'f"{version}"',
        "'x'",
        "1",
        "0.5",
        "class",
        "It",
        "BaseModel",
        "Field",
        "metadata\n",
        "",
        "",
        "",
        "None",
        "True",
        "...",
        "=",
        "==",
        "\n",
        "\n\n",
        "import",
        "from",
        "pydantic",
        "typing",
        "Optional",
        "str",
        "int",
        "x",
        "lambda",
        "if",
        "else",
        "for",
        "in",
        "@",
        "|",
        "1e999\n",
        "",
        "",
        "",
        "",
    ]
)


@quick
@given(st.lists(WORDS, max_size=30).map(" ".join))
def test_any_manifest_ends_in_a_verdict(text: str) -> None:
    outcome = judge_bytes(make_zip(make_files({"manifest.py": text})))

    assert outcome.findings or outcome.names is not None
