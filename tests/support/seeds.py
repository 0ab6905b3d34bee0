"""Good inputs of every kind that the scan reads: what mutations and fuzzing start from."""

import ast
from collections.abc import Iterator
from pathlib import Path

from support import archive_forms, model_files, snippets
from support.archives import (
    FILES,
    MANIFEST,
    Entry,
    descriptor,
    make_files,
    make_tar,
    make_zip,
    pax_header,
    tar_entry,
)

_ROOT = Path(__file__).parents[2]
_CODE = ("examples", "cli/src/extractor_cli/template", "sandbox/src/extractor_sandbox")
_PIECE_BYTES = 600


def sources() -> list[bytes]:
    """Give short pieces of code: examples, the sandbox itself, and what the rules are tested with."""
    files = (path for folder in _CODE for path in sorted((_ROOT / folder).rglob("*.py")))
    tested = [code for codes in snippets.REFUSED.values() for code in codes] + list(snippets.ACCEPTED)
    return [piece for path in files for piece in _pieces(path.read_text())] + [
        code.encode() for code in tested
    ]


def _pieces(text: str) -> Iterator[bytes]:
    """Cut a file between its statements."""
    piece = ""
    for node in ast.parse(text).body:
        statement = ast.unparse(node) + "\n"
        if piece and len(piece) + len(statement) > _PIECE_BYTES:
            yield piece.encode()
            piece = ""
        piece += statement
    yield piece.encode()


def manifests() -> list[bytes]:
    """Give a manifest of each dialect."""
    return [MANIFEST.encode(), *(text.encode() for text, _ in archive_forms.DIALECTS.values())]


def zips() -> list[bytes]:
    """Give archives as different writers make them."""
    files = make_files({"weights/model.npz": model_files.SMALL["npz"], "assets/größe.txt": "ä\n" * 40})
    return [
        make_zip(files, comment=b"made by a test"),
        make_zip([Entry(*each, method=8, extra=b"\x0a\x00\x04\x00abcd") for each in files.items()]),
        make_zip([Entry(*each, method=8, descriptor=descriptor(each[1])) for each in files.items()]),
        make_zip(
            [
                Entry("folder/", mode=0o040755),
                *(Entry(f"folder/{name}", data) for name, data in FILES.items()),
            ]
        ),
    ]


def tars() -> list[bytes]:
    """Give tar files before they are compressed."""
    entries = b"".join(tar_entry(name, data) for name, data in FILES.items())
    extended = pax_header(path="assets/größe.txt", mtime="1.5") + tar_entry("x", b"text\n")
    return [
        entries + bytes(1024),
        tar_entry("folder/", kind=b"5") + entries + extended + bytes(1024),
    ]


def archives() -> list[bytes]:
    """Give archives of both formats."""
    return [*zips(), make_tar(FILES), make_tar(make_files({"core.py": "x = 1\n" * 40}))]


WEIGHTS = {
    **model_files.SMALL,
    "bin": model_files.STATE_DICT,
    "onnx": model_files.onnx(model_files.field(5, model_files.external("a.bin"))),
    "gguf": model_files.gguf_template("{{ messages }}"),
}
"""A file that is accepted, by its extension, with something in it that is looked at."""
RULES = {
    **dict.fromkeys(("pt", "bin", "ckpt"), "W02"),
    **{"safetensors": "W03", "npy": "W04", "npz": "W04", "onnx": "W05", "gguf": "W06"},
}
"""The rule that judges it."""
