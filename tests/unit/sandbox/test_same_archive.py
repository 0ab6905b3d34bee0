"""The same files get the same verdict, however they are packed."""

from collections.abc import Callable, Mapping

import pytest

from support import model_files, seeds
from support.archives import (
    Entry,
    descriptor,
    judge_bytes,
    make_files,
    make_tar,
    make_zip,
    rejections,
    tar_entry,
)

Files = Mapping[str, bytes]

CALL = b"\x80\2" + model_files.call("posix", "system")
ADDED = {
    "nothing": ({}, set()),
    **{f"a good .{kind}": ({f"weights/model.{kind}": data}, set()) for kind, data in seeds.WEIGHTS.items()},
    "a pickle that calls": ({"weights/model.bin": CALL}, {"W02"}),
    "the same as a checkpoint": ({"weights/model.pt": model_files.torch_zip(CALL)}, {"W02"}),
    "the same under another name": ({"weights/model.ckpt": model_files.torch_zip(CALL, root="x")}, {"W02"}),
    "an array of objects": ({"a.npy": model_files.npy(CALL, "|O", (1,))}, {"W04"}),
    "a template that reaches out": ({"a.gguf": model_files.gguf_template("{{ x.__class__ }}")}, {"W06"}),
    "forbidden code": ({"processors/core.py": b"import subprocess\n"}, {"C04"}),
    "code of an unused folder": ({"tests/test_it.py": b"eval('1')\n"}, {"C05"}),
    "a program": ({"assets/tool.txt": b"\x7fELF\2\1\1" + bytes(60)}, {"F02"}),
    "an unknown type": ({"run.sh": b"true\n"}, {"F01"}),
    "a hidden file": ({"assets/.hidden.txt": b"x\n"}, {"F04"}),
    "a start-up hook": ({"sitecustomize.py": b""}, {"F03"}),
    "a module that hides another": ({"numpy.py": b""}, {"F05"}),
    "names that differ in case": ({"a.txt": b"1", "A.txt": b"2"}, {"Z03"}),
    "a file that is a folder": ({"a.txt": b"1", "a.txt/b.txt": b"2"}, {"Z10"}),
    "a name that leaves": ({"../a.txt": b"1"}, {"Z09"}),
    "a manifest that computes": ({"manifest.py": seeds.manifests()[0] + b"x = len('a')\n"}, {"M01"}),
    "a manifest without a version": (
        {"manifest.py": seeds.manifests()[0].replace(b"version", b"other")},
        {"M02"},
    ),
}


def wrapped(files: Files) -> dict[str, bytes]:
    return {f"my_extractor/{path}": content for path, content in files.items()}


def folders(files: Files) -> list[str]:
    return sorted({path.rpartition("/")[0] + "/" for path in files if "/" in path and ".." not in path})


PACKINGS: dict[str, Callable[[Files], bytes]] = {
    "stored": make_zip,
    "deflated": lambda files: make_zip([Entry(*each, method=8) for each in files.items()]),
    "streamed": lambda files: make_zip(
        [Entry(*each, method=8, descriptor=descriptor(each[1])) for each in files.items()]
    ),
    "backwards": lambda files: make_zip([Entry(*each) for each in reversed(files.items())]),
    "with a comment and times": lambda files: make_zip(
        [Entry(*each, extra=b"UT\5\0\3abcd") for each in files.items()], comment=b"made by hand"
    ),
    "executable": lambda files: make_zip([Entry(*each, mode=0o100755) for each in files.items()]),
    "by DOS": lambda files: make_zip([Entry(*each, mode=0, system=0) for each in files.items()]),
    "in a folder": lambda files: make_zip(wrapped(files)),
    "with entries for folders": lambda files: make_zip(
        [*(Entry(each, mode=0o040755) for each in folders(files)), *(Entry(*each) for each in files.items())]
    ),
    "as tar.gz": make_tar,
    "as tar.gz, in a folder": lambda files: make_tar(wrapped(files)),
    "as tar.gz, filled up": lambda files: make_tar(
        files, end=bytes(-sum(map(len, map(tar_entry, files, files.values()))) % 10_240 or 10_240)
    ),
}


@pytest.mark.parametrize(("files", "want"), ADDED.values(), ids=ADDED)
def test_a_verdict_does_not_depend_on_packing(files: Files, want: set[str]) -> None:
    found = {name: rejections(judge_bytes(pack(make_files(files)))) for name, pack in PACKINGS.items()}

    assert {name: rules for name, rules in found.items() if rules != want} == {}
