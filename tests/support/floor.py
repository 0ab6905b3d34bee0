"""Cases that were once judged right, and what was said of them: the floor that no change falls below.

``PYTHONPATH=tests python -m support.floor`` adds the cases that are new to ``tests/fixtures/floor.json``. It
changes nothing that stands there: whoever means to, edits the line, and a reviewer sees it.
"""

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from support import model_files, seeds, snippets, structure
from support.archives import extractor, judge_bytes, make_files, make_tar, make_zip, rejections

_TESTS = Path(__file__).parents[1]
FILE = _TESTS / "fixtures" / "floor.json"
PUBLIC = "public/"
"""What the ids of the policy's own samples start with; they are not in this repository."""

Build = Callable[[], bytes]


def cases() -> dict[str, Build]:
    """Give a builder of every case's archive, by what the case is called."""
    return dict([*_code(), *_files(), *_archives(), *_public()])


def judged(build: Build) -> list[str]:
    """Name the rules that reject a case; none if it is accepted."""
    return sorted(rejections(judge_bytes(build())))


def known() -> dict[str, list[str]]:
    """Read what was said of each case."""
    found: dict[str, list[str]] = json.loads(FILE.read_text())
    return found


def public_verdicts() -> dict[str, str]:
    """Give the policy's own verdicts on its samples, where the samples are."""
    return {f"{PUBLIC}{name}": verdict for name, verdict, *_ in _samples()}


def _code() -> Iterator[tuple[str, Build]]:
    codes = [*(code for codes in snippets.REFUSED.values() for code in codes), *snippets.ACCEPTED]
    for code in codes:
        yield f"code/{code}", partial(extractor, {"core.py": code + "\n"})


def _files() -> Iterator[tuple[str, Build]]:
    for number, manifest in enumerate(seeds.manifests()):
        yield f"manifest/dialect {number}", partial(extractor, {"manifest.py": manifest})
    called = model_files.call("posix", "system")
    files = {
        **{f"weights/good.{extension}": content for extension, content in seeds.WEIGHTS.items()},
        "weights/calls.bin": b"\x80\2" + called,
        "weights/calls.pt": model_files.torch_zip(b"\x80\2" + called),
        "weights/script.pt": model_files.torch_zip(more={"code/x.py": b""}),
        "weights/objects.npy": model_files.npy(called, "|O", (1,)),
        "weights/outside.onnx": model_files.onnx(model_files.field(5, model_files.external("../a.bin"))),
        "weights/template.gguf": model_files.gguf_template("{{ x.__class__ }}"),
        "weights/overlap.safetensors": model_files.safetensors(
            {"a": model_files.tensor("F32", [2], 0, 8), "b": model_files.tensor("F32", [1], 4, 8)}, bytes(8)
        ),
        **{f"assets/tool.{each}": b"\x7fELF\2\1\1" + bytes(60) for each in ("so", "txt", "bin", "png")},
        **{
            path: b"x = 1\n" for path in (".hidden.py", "sitecustomize.py", "numpy.py", "a/__pycache__/x.pyc")
        },
        **{path: b"text\n" for path in ("LICENSE", "a.pth", "a.pkl", "run.sh", "data.csv")},
    }
    for path, content in files.items():
        yield f"file/{path}", partial(extractor, {path: content})


def _archives() -> Iterator[tuple[str, Build]]:
    for number, archive in enumerate(seeds.archives()):
        yield f"archive/good {number}", partial(bytes, archive)
    good = make_zip(make_files({"assets/notes.txt": "text"}))
    for number, archive in enumerate(structure.joined_zips(good, make_zip(make_files({})))):
        yield f"archive/joined {number}", partial(bytes, archive)
    for number, archive in enumerate(structure.renamed_zips(good)):
        yield f"archive/renamed {number}", partial(bytes, archive)
    for size in (0, 1, 40, len(good) // 2, len(good) - 1):
        yield f"archive/cut to {size}", partial(bytes, good[:size])
    yield "archive/tar within tar", partial(make_tar, {"inner.tar.gz": make_tar(make_files({}))})


def _public() -> Iterator[tuple[str, Build]]:
    for name, _, _, _, build in _samples():
        yield f"{PUBLIC}{name}", build


def _samples() -> list[tuple[str, str, str, str, Build]]:
    """Load the policy's samples from the folder shared with this repository, if there is one."""
    root = _TESTS.parent
    for folder in (root / "shared", root.parent / "shared"):
        path = folder / "scan" / "hostile_public.py"
        spec = importlib.util.spec_from_file_location("hostile_public", path) if path.exists() else None
        if spec and spec.loader:
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            samples: list[tuple[str, str, str, str, Build]] = module.CASES
            return samples
    return []


def _add() -> None:
    """Add what is new, and say what differs."""
    floor = known() if FILE.exists() else {}
    for name, build in cases().items():
        said = judged(build)
        if bool(floor.setdefault(name, said)) != bool(said):
            print(f"{name}: {floor[name]} stands in the floor, and now it is {said}", file=sys.stderr)
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(floor[name])}" for name in sorted(floor))
    FILE.write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    _add()
