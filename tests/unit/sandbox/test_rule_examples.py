"""Every example of the rule reference is judged as the reference says."""

import ast
import bz2
from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from extractor_apis.manifest import Manifest
from extractor_sandbox.rule_examples import EXAMPLES, WARNINGS
from extractor_sandbox.rules import RULES
from support import model_files
from support.archives import FILES, MANIFEST, Entry, extractor, judge_bytes, make_zip, rejections, warnings

ENTRIES = [Entry(name, data) for name, data in FILES.items()]
NOTES = b"notes\n" * 1000
ZEROS = bytes(11 << 20)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
DEEP = "deep = " + "[" * 33 + "]" * 33 + "\n"
OBJECTS = model_files.npy_of("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"\x80\2N.")


def with_entries(*entries: Entry) -> bytes:
    return make_zip([*ENTRIES, *entries])


def with_file(path: str, data: bytes) -> bytes:
    return extractor({path: data})


BUILT: Mapping[str, tuple[bytes, bytes]] = {
    "Z01": (b"#!/bin/sh\n" + extractor(), extractor()),
    "Z02": (
        with_entries(Entry("notes.txt", NOTES, local={"name": b"other.txt"})),
        with_entries(Entry("notes.txt", NOTES)),
    ),
    "Z03": (
        with_entries(Entry("notes.txt"), Entry("Notes.txt")),
        with_entries(Entry("notes.txt"), Entry("more_notes.txt")),
    ),
    "Z04": (
        with_entries(Entry("notes.txt", NOTES, method=12, raw=bz2.compress(NOTES))),
        with_entries(Entry("notes.txt", NOTES, method=8)),
    ),
    "Z05": (with_entries(Entry("notes.txt", NOTES, flags=1)), with_entries(Entry("notes.txt", NOTES))),
    "Z06": (
        with_entries(Entry("notes.txt", NOTES, extra=b"\1\0\x08\0" + len(NOTES).to_bytes(8, "little"))),
        with_entries(Entry("notes.txt", NOTES)),
    ),
    "Z07": (
        with_entries(Entry("weights.txt", b"/etc/passwd", mode=0o120777)),
        with_entries(Entry("weights.txt", b"none")),
    ),
    "Z08": (with_entries(Entry("notes.txt", NOTES, crc=1)), with_entries(Entry("notes.txt", NOTES))),
    "Z09": (with_entries(Entry("../../.bashrc")), with_entries(Entry("notes/bashrc.txt"))),
    "Z10": (
        with_entries(Entry("notes"), Entry("notes/a.txt")),
        with_entries(Entry("notes/b.txt"), Entry("notes/a.txt")),
    ),
    "Z11": (
        with_entries(Entry("zeros.model", ZEROS, method=8)),
        with_entries(Entry("zeros.model", ZEROS)),
    ),
    "F01": (
        with_file("classifier.pkl", b"\x80\2N."),
        with_file("classifier.safetensors", model_files.SMALL["safetensors"]),
    ),
    "F02": (with_file("cover.png", b"\x7fELF" + bytes(60)), with_file("cover.png", PNG)),
    "F03": (with_file("sitecustomize.py", b"pass\n"), with_file("startup.py", b"pass\n")),
    "F04": (with_file(".env", b"A=1\n"), with_file("settings.yaml", b"a: 1\n")),
    "F05": (with_file("json.py", b"pass\n"), with_file("processors/json.py", b"pass\n")),
    "F06": (make_zip({"manifest.py": FILES["manifest.py"]}), extractor()),
    "M06": (
        with_file("manifest.py", (MANIFEST + DEEP).encode()),
        with_file("manifest.py", (MANIFEST + DEEP.replace("[]", "1")).encode()),
    ),
    "W02": (
        with_file("model.pt", model_files.torch_zip(model_files.call("os", "system"))),
        with_file("model.pt", model_files.torch_zip()),
    ),
    "W03": (
        with_file("model.safetensors", model_files.safetensors({"w": model_files.tensor("F32", [2], 0, 8)})),
        with_file("model.safetensors", model_files.SMALL["safetensors"]),
    ),
    "W04": (with_file("table.npy", OBJECTS), with_file("table.npy", model_files.npy())),
    "W05": (
        with_file(
            "model.onnx", model_files.onnx(model_files.field(5, model_files.external("../weights.bin")))
        ),
        with_file("model.onnx", model_files.onnx()),
    ),
    "W06": (
        with_file("model.gguf", model_files.gguf_template("{{ messages.__class__ }}")),
        with_file("model.gguf", model_files.gguf_template("{{ messages[0] }}")),
    ),
}
"""The archives of examples that are said in words."""


def build(id: str) -> tuple[bytes, bytes]:
    example = EXAMPLES[id]
    if example.path is None:
        return BUILT[id]
    texts = [example.refused, example.accepted]
    if example.path == "manifest.py":
        texts = [complete(text) for text in texts]
    refused, accepted = (extractor({example.path: text}) for text in texts)
    return refused, accepted


def complete(text: str) -> str:
    """Add what else a manifest needs."""
    names = {node.targets[0].id for node in ast.parse(text).body}  # type: ignore[attr-defined]
    rest = [node for node in ast.parse(MANIFEST).body if node.targets[0].id not in names]  # type: ignore[attr-defined]
    return "\n".join([*map(ast.unparse, rest), text])


def judged(archive: bytes) -> tuple[set[str], set[str]]:
    """Name the rules that reject, and those that warn."""
    outcome = judge_bytes(archive)
    rejecting = rejections(outcome)
    try:
        # A field's shape is judged by the report, with its own model of the manifest.
        if outcome.names is not None:
            Manifest.from_names(outcome.names)
    except ValidationError:
        rejecting.add("M07")
    return rejecting, warnings(outcome)


@pytest.mark.parametrize("id", sorted(EXAMPLES.keys() - WARNINGS - {"C12"}))
def test_a_rule_rejects_its_example_and_accepts_the_other(id: str) -> None:
    refused, accepted = build(id)

    assert id in judged(refused)[0]
    assert judged(accepted) == (set(), set())


@pytest.mark.parametrize("id", sorted(WARNINGS))
def test_a_rule_that_only_warns_is_silent_about_the_other_example(id: str) -> None:
    refused, accepted = build(id)

    assert judged(refused) == (set(), {id})
    assert judged(accepted) == (set(), set())


def test_a_comment_excuses_nothing() -> None:
    refused, accepted = build("C12")

    assert judged(refused) == ({"C05"}, set())
    assert judged(accepted) == (set(), set())


def test_every_rule_about_archives_has_an_example() -> None:
    # X is about the scan itself, O what other tools say.
    assert {id for id in RULES if not id.startswith(("X", "O"))} == EXAMPLES.keys()
