"""Checkpoints rebuild tensors and plain data, as torch.save writes them; everything else is refused."""

import pickle
import struct
from collections import OrderedDict

import pytest

from support.archives import Entry, deflate, extractor, judge_bytes, make_zip, rejections
from support.model_files import STATE_DICT, call, sizes_field, torch_zip

PLAIN = {"a": [1, 2.5, None, True, 2**70, -1], "b": ("x", b"y", {1}, (1, 2, 3, 4), "größe"), 3: {}}
ORDERED = b"ccollections\nOrderedDict\n"
PICKLE = Entry("a/data.pkl", b"N.")
LEGACY = b"\x80\2\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


def zipped(*entries: Entry) -> bytes:
    return make_zip(entries)


def judged(content: bytes, path: str = "weights/model.pt") -> set[str]:
    return rejections(judge_bytes(extractor({path: content})))


def advice(content: bytes) -> str:
    (finding,) = judge_bytes(extractor({"weights/model.pt": content})).findings
    return f"{finding.problem.message} {finding.problem.advice}"


@pytest.mark.parametrize("extension", ["pt", "bin", "ckpt"])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(torch_zip(), id="a torch zip"),
        pytest.param(torch_zip(root="my model-v1.5"), id="a root named like the file"),
        pytest.param(torch_zip(more={f"data/{n}": b"" for n in range(1, 12)}), id="many storages"),
        pytest.param(STATE_DICT, id="the same pickle, bare"),
        *(
            pytest.param(
                pickle.dumps({"a": [1, 2.5, None, True], "b": ("x", b"y", {1})}, protocol), id=f"{protocol}"
            )
            for protocol in range(6)
        ),
        pytest.param(
            pickle.dumps(OrderedDict(a=1, b=2**70, c=bytearray(b"x"), d=1j), 2), id="an ordered dict"
        ),
        pytest.param(
            pickle.dumps(OrderedDict(a={1: "import os", "x": "os.system('x')"}), 4), id="scary strings"
        ),
        pytest.param(b"\x80\4\x8c\x0bcollections\x8c\x0bOrderedDict\x93)R.", id="a name from the stack"),
        pytest.param(b"(dp1\n.", id="a memo as Python 2 numbers it"),
    ],
)
def test_tensors_and_plain_data_are_accepted(content: bytes, extension: str) -> None:
    assert judged(content, f"weights/model.{extension}") == set()


@pytest.mark.parametrize("wrap", [bytes, torch_zip], ids=["bare", "in a zip"])
@pytest.mark.parametrize(
    "pickled",
    [
        pytest.param(call("posix", "system"), id="a command"),
        pytest.param(call("builtins", "eval"), id="eval"),
        pytest.param(call("__builtin__", "eval"), id="eval, as Python 2 calls it"),
        pytest.param(call("torch", "load"), id="torch's own loader"),
        pytest.param(call("numpy.core.multiarray", "_reconstruct"), id="a numpy array"),
        pytest.param(call("collections", "OrderedDict.fromkeys"), id="an attribute of what is allowed"),
        pytest.param(call("collections OrderedDict", ""), id="a blank in a name"),
        pytest.param(b"c\\x63ollections\nOrderedDict\n)R.", id="an escape in a name"),
        pytest.param(b"c\\qcollections\nOrderedDict\n)R.", id="an escape in a name that is none"),
        pytest.param(b"cposix\nsystem\n0N.", id="a name that is only looked up"),
        pytest.param(b"(S'true'\niposix\nsystem\n.", id="INST"),
        pytest.param(b"(cposix\nsystem\nS'true'\no.", id="OBJ"),
        pytest.param(
            b"\x80\4\x8c\5posix\x94\x8c\6system\x9400h\0h\1\x93\x8c\4true\x85R.", id="a name from the memo"
        ),
        pytest.param(b"\x80\4\x8c\5posix2\x8c\6system\x93.", id="a name from under another"),
        pytest.param(b"\x80\4]\x8c\6system\x93.", id="a name that is no string"),
        pytest.param(b"\x80\4\x8c\2os(\x8c\6system1\x8c\6system\x93.", id="a name around a dropped mark"),
        pytest.param(b"\x80\2\x82\1.", id="EXT1"),
        pytest.param(b"\x80\2\x83\1\0.", id="EXT2"),
        pytest.param(b"\x80\2\x84\1\0\0\0.", id="EXT4"),
        pytest.param(b"Pstorage\n.", id="a persistent id in text"),
        pytest.param(b"\x80\2X\7\0\0\0storageQ.", id="a persistent id that is no tuple"),
        pytest.param(b"\x80\2(X\4\0\0\0fileX\1\0\0\0aK\1K\1K\1tQ.", id="a persistent id of another kind"),
        pytest.param(STATE_DICT.replace(b"FloatStorage", b"Tensor"), id="a storage of a type that is none"),
        pytest.param(ORDERED + b"(S'a'\nS'b'\nddb.", id="a library's class changed"),
        pytest.param(b"\x80\2X\1\0\0\0a)R.", id="a call of a string"),
        pytest.param(ORDERED + b")R)R.", id="a call of a result"),
        pytest.param(b"\x80\5\x97.", id="a buffer from outside"),
        pytest.param(b"\x80\6N.", id="a protocol that does not exist"),
        pytest.param(STATE_DICT + b"N.", id="a second pickle"),
        pytest.param(STATE_DICT + b"\0", id="bytes behind"),
        pytest.param(STATE_DICT[:-1], id="no end"),
        pytest.param(b"NN.", id="a value left behind"),
        pytest.param(b"(N.", id="a mark left behind"),
        pytest.param(b"0.", id="more taken than put"),
        pytest.param(b"h\7.", id="a memo that is not there"),
        pytest.param(b"Nr\xff\xff\xff\x7f.", id="a memo that takes all memory"),
        pytest.param(b"\x96\xff\xff\xff\xff\xff\xff\xff\x7f.", id="a length that takes all memory"),
        pytest.param(b"I1_0x\n.", id="a number that is none"),
        pytest.param(b"L" + b"9" * 5000 + b"L\n.", id="a number that takes forever"),
        pytest.param(b"cposix\xff\nsystem\n.", id="a name that is no text"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"garbage", id="garbage"),
        pytest.param(LEGACY + b"\x80\2M\xe9\3.\x80\2}.", id="torch's format before 1.6"),
    ],
)
def test_pickles_that_could_do_more_are_rejected(pickled: bytes, wrap: type[bytes]) -> None:
    assert judged(wrap(pickled)) == {"W02"}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(torch_zip(more={"constants.pkl": b"."}), id="TorchScript"),
        pytest.param(torch_zip(more={"evil.pkl": call("posix", "system")}), id="a second pickle"),
        pytest.param(torch_zip(more={"data/0x": b""}), id="a storage by another name"),
        pytest.param(torch_zip(more={"data/../../x": b""}), id="a path that leaves"),
        pytest.param(torch_zip(root="a/b"), id="a root of two folders"),
        pytest.param(torch_zip(root=".."), id="a root that leaves"),
        pytest.param(torch_zip()[:-1], id="a cut"),
        pytest.param(torch_zip() + b"x", id="bytes behind"),
        pytest.param(b"PK\3\4", id="no zip at all"),
        pytest.param(make_zip({}), id="an empty zip"),
        pytest.param(make_zip({"archive/version": b"3\n"}), id="no pickle"),
        pytest.param(make_zip({"a/data.pkl": b"N.", "b/data.pkl": b"N."}), id="two roots"),
        pytest.param(zipped(PICKLE, PICKLE), id="one member twice"),
        pytest.param(zipped(Entry("a/data.pkl", b"N.", flags=1)), id="an encrypted pickle"),
        pytest.param(zipped(PICKLE, Entry("a/data/0", b"/etc", mode=0o120777)), id="a link as storage"),
        pytest.param(zipped(PICKLE, Entry("a/data/0", b"x", mode=0o104755)), id="a storage with setuid"),
        pytest.param(zipped(PICKLE, Entry("a/data/0/", mode=0o040755)), id="a folder as storage"),
        pytest.param(zipped(Entry("a/data.pkl", b"N.", method=12)), id="another method"),
        pytest.param(zipped(PICKLE, Entry("a/data/0", b"x", crc=1)), id="a wrong checksum"),
        pytest.param(
            make_zip(
                [Entry("a/data.pkl", b"N."), Entry("a/data/0", raw=deflate(b"x" * 9), method=8, size=8)]
            ),
            id="more than is declared",
        ),
        pytest.param(
            zipped(Entry("a/data.pkl", b"N.", local={"name": b"a/data.pk1"})),
            id="two names of one member",
        ),
        pytest.param(
            zipped(Entry("a/data.pkl", b"N.", descriptor=b"PK\7\x08" + bytes(12))),
            id="a wrong descriptor",
        ),
        pytest.param(
            zipped(Entry("a/data.pkl", b"N.", local={"extra": sizes_field(3)})),
            id="another size in 64 bits",
        ),
        pytest.param(
            zipped(Entry("a/data.pkl", b"N.", local={"packed": 2**32 - 1, "size": 2**32 - 1})),
            id="a size said to be elsewhere, and nowhere",
        ),
    ],
)
def test_zips_that_torch_does_not_write_are_rejected(content: bytes) -> None:
    assert judged(content) == {"W02"}


@pytest.mark.parametrize(
    ("at", "value"),
    [
        pytest.param(4, 45, id="another length"),
        pytest.param(16, 1, id="another disk"),
        pytest.param(24, 8, id="another number here"),
        pytest.param(32, 8, id="another number in all"),
        pytest.param(40, 1, id="another size"),
        pytest.param(48, 1, id="another place"),
    ],
)
def test_a_zip64_record_says_nothing_new(at: int, value: int) -> None:
    plain = torch_zip()
    record = bytearray(plain[-98:-42])
    assert torch_zip(record=bytes(record)) == plain

    record[at] = value

    assert judged(torch_zip(record=bytes(record))) == {"W02"}


@pytest.mark.parametrize(
    ("content", "want"),
    [
        pytest.param(torch_zip(more={"code/a.py": b""}), "TorchScript", id="TorchScript"),
        pytest.param(torch_zip(more={"code/a.py": b""}), "model.state_dict()", id="what to save"),
        pytest.param(LEGACY, "before 1.6", id="the format before 1.6"),
        pytest.param(LEGACY, "torch.save(state_dict, path)", id="how to save it again"),
        pytest.param(bytes(64), "neither a torch zip nor a pickle Keep arrays as .npy", id="raw numbers"),
        pytest.param(call("a", "b"), "safetensors.torch.save_file", id="safetensors"),
        pytest.param(call("a", "\x1b[31mb"), r"names a.\x1b[31mb", id="no control characters"),
    ],
)
def test_findings_say_what_to_do(content: bytes, want: str) -> None:
    assert want in advice(content)


def test_a_large_pickle_is_refused_unread() -> None:
    storages = b"B" + struct.pack("<L", 33 << 20) + bytes(33 << 20) + b"."

    assert judged(storages) == {"W02"}
    assert judged(make_zip([Entry("a/data.pkl", storages, method=8)])) == {"W02"}


def test_a_second_opinion_is_heard() -> None:
    hidden = pickle.dumps({"note": b"\x80\2" + call("posix", "system")}, 4)

    assert "modelaudit-picklescan" in advice(hidden)
