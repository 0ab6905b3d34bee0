"""Arrays hold numbers and text, as many as their headers say."""

import pytest

from support.archives import Entry, deflate, extractor, judge_bytes, make_zip, rejections
from support.model_files import npy, npy_of, npz


def judged(content: bytes, path: str = "weights/a.npy") -> set[str]:
    return rejections(judge_bytes(extractor({path: content})))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(npy(), id="four floats"),
        pytest.param(npy(version=2), id="a header of version 2"),
        pytest.param(npy(version=3), id="a header of version 3"),
        pytest.param(npy(bytes(8), ">i8", ()), id="one number"),
        pytest.param(npy(b"", "<f8", (3, 0, 2)), id="none at all"),
        pytest.param(npy(bytes(6), "|b1", (2, 3)), id="truth values"),
        pytest.param(npy(bytes(32), "<c16", (2,)), id="complex numbers"),
        pytest.param(npy(bytes(24), "<U3", (2,)), id="text"),
        pytest.param(npy(bytes(6), "|S3", (2,)), id="bytes"),
        pytest.param(npy(bytes(4), "<V2", (2,)), id="bfloat16, as numpy calls it"),
        pytest.param(npy(bytes(8), "<M8[D]", (1,)), id="dates"),
        pytest.param(npy(bytes(8), "<m8[25s]", (1,)), id="durations"),
        pytest.param(
            npy(bytes(4), [("cle", "<f4")], (1,)).replace(b"cle", b"cl\xe9"), id="a name in Latin-1"
        ),
        pytest.param(npy(bytes(20), [("a", "<i4"), ("b", "<f8", (2,))], (1,)), id="records"),
        pytest.param(
            npy(bytes(5), [("größe", [(("t", "n"), "|u1")]), ("", "|V4")], (1,)), id="nested records"
        ),
    ],
)
def test_numbers_and_text_are_accepted(content: bytes) -> None:
    assert judged(content) == set()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(npy(b"cposix\nsystem\n.", "|O", (1,)), id="objects"),
        pytest.param(npy(bytes(8), "O8", (1,)), id="objects with a size"),
        pytest.param(npy(bytes(8), "object", (1,)), id="objects by their name"),
        pytest.param(npy(bytes(12), "f4,O8", (1,)), id="objects behind a comma"),
        pytest.param(npy(bytes(12), [("a", "<f4"), ("b", "|O")], (1,)), id="objects in records"),
        pytest.param(npy(bytes(8), [("a", [("b", "|O8")])], (1,)), id="objects in nested records"),
        pytest.param(npy(bytes(8), ("|O8", (1,)), (1,)), id="objects in a pair"),
        pytest.param(npy(bytes(15)), id="one byte less"),
        pytest.param(npy(bytes(17)), id="one byte more"),
        pytest.param(npy(shape=(-4,)), id="a negative shape"),
        pytest.param(npy(b"", shape=(2**40, 0)), id="a shape of astronomical size"),
        pytest.param(npy_of("{'descr': '<f4', 'shape': (0,)}"), id="a field missing"),
        pytest.param(
            npy_of("{'descr': '<f4', 'fortran_order': 1, 'shape': (0,)}"), id="a field of another type"
        ),
        pytest.param(
            npy_of("{'descr': '<f4', 'fortran_order': False, 'shape': (0,), 'x': 1}"), id="one more"
        ),
        pytest.param(
            npy_of("{'descr': '<f4', 'fortran_order': False, 'shape': (True,)}"), id="a shape of truth"
        ),
        pytest.param(npy_of("__import__('os')"), id="code"),
        pytest.param(npy_of("{" * 5000), id="deep nesting"),
        pytest.param(npy_of("-" * 9000 + "1"), id="deep signs"),
        pytest.param(npy_of("{'descr': " + "9" * 9000 + "}"), id="a number that takes forever"),
        pytest.param(npy_of("{[]: 1}"), id="a key that is none"),
        pytest.param(npy_of(" " * 10_000, version=2), id="a header longer than numpy reads"),
        pytest.param(npy()[:40], id="a cut header"),
        pytest.param(npy()[:7], id="a cut magic"),
        pytest.param(npy(version=4), id="another version"),
        pytest.param(npy_of("").replace(b"\n", b"\xff"), id="a header that is no text"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x80\4N.", id="a pickle"),
    ],
)
def test_other_arrays_are_rejected(content: bytes) -> None:
    assert judged(content) == {"W04"}
    assert judged(npz({"a.npy": content}), "weights/a.npz") == {"W04"}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(npz({"a.npy": npy(), "b/c.npy": npy(bytes(8), "<i8", (1,))}), id="as numpy writes them"),
        pytest.param(make_zip({"a.npy": npy(), "dense/kernel:0.npy": npy()}), id="a plain zip"),
        pytest.param(
            make_zip([Entry("a.npy", npy(bytes(4 << 20), "|u1", (4 << 20,)), method=8)]), id="deflated"
        ),
        pytest.param(make_zip({}), id="none"),
    ],
)
def test_archives_of_arrays_are_accepted(content: bytes) -> None:
    assert judged(content, "weights/a.npz") == set()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(make_zip({"a.npy": npy(), "b.pkl": b"N."}), id="a pickle beside"),
        pytest.param(make_zip({"a": npy()}), id="an array by another name"),
        pytest.param(make_zip({"../a.npy": npy()}), id="a path that leaves"),
        pytest.param(make_zip({"/a.npy": npy()}), id="an absolute path"),
        pytest.param(make_zip({"..\\a.npy": npy()}), id="a path that leaves on Windows"),
        pytest.param(make_zip([Entry("a.npy/")]), id="a folder"),
        pytest.param(make_zip([Entry("a.npy", npy())] * 2), id="one array twice"),
        pytest.param(make_zip([Entry("a.npy", npy(), crc=1)]), id="a wrong checksum"),
        pytest.param(
            make_zip([Entry("a.npy", raw=deflate(npy()), method=8, size=9)]), id="more than is declared"
        ),
        pytest.param(make_zip([Entry("a.npy", npy(), method=12)]), id="another method"),
        pytest.param(npz({"a.npy": npy()})[:-1], id="a cut"),
        pytest.param(npz({"a.npy": npy()}) + b"x", id="bytes behind"),
        pytest.param(b"", id="nothing"),
        pytest.param(npy(), id="an array"),
    ],
)
def test_other_archives_are_rejected(content: bytes) -> None:
    assert judged(content, "weights/a.npz") == {"W04"}
