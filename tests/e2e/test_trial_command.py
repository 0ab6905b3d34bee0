"""`extractor test` and media queries from outside: what is tried, what is found, how it is told."""

import json
from pathlib import Path

import pytest
from PIL import Image

from extractor_cli import trial_text
from extractor_runtime.trial.verdict import TrialReport
from support.command import extractor

pytestmark = pytest.mark.e2e

COLOURS = {"red": (250, 10, 10), "green": (10, 250, 10), "blue": (10, 10, 250)}
IMAGE_EXTRACTOR = {
    "manifest.py": """\
feature_extractor_name = "colours"
version = "1.0.0"
description = "The mean colour of a picture"
supported_input_types = ["image"]
features = [{"feature_type": "embedding", "feature_name": "colour", "embedding_dim": 3,
             "distance_metric": "cosine"}]
output_schema = {"colour": {"type": "array"}, "width": {"type": "integer"}}
input_mappings = {"image": "image_url"}
compute_profile = {"resource_type": "cpu"}
""",
    "colours.py": """\
import numpy as np
from PIL import Image


def colour(file):
    return np.asarray(Image.open(file).convert("RGB"), np.float32).mean((0, 1))
""",
    "pipeline.py": """\
from PIL import Image

from .colours import colour


def measure(batch):
    batch["colour"] = [colour(path) for path in batch["data"]]
    batch["width"] = [Image.open(path).width for path in batch["image"]]
    return batch


def build_steps(extractor_request, **kwargs):
    return {"steps": [measure]}
""",
    "realtime.py": """\
import base64
import io

from .colours import colour


class InferenceService:
    def run_inference(self, inputs, parameters):
        content = base64.b64decode(inputs["image"].partition(",")[2])
        return {"embedding": colour(io.BytesIO(content)).tolist()}
""",
}


def test_the_extractor_that_init_writes_passes(tmp_path: Path) -> None:
    extractor("init", "probe", cwd=tmp_path)
    (tmp_path / "notes.txt").write_text("bread rises")
    step = tmp_path / "probe/processors/embed.py"
    step.write_text(step.read_text() + '\n\nprint("hello from the author")\n')

    done = extractor(*("test", "probe", "--input", "notes.txt", "--logs", "logs", "-o", "json"), cwd=tmp_path)

    report = TrialReport.model_validate_json(done.stdout)
    assert (done.returncode, report.findings) == (0, ())
    assert report.samples == ("notes.txt", "example_input")
    assert [(one.name, one.rows, one.vectors) for one in report.features] == [("probe_embedding", 2, 2)]
    assert [(one.name, one.present) for one in report.attributes] == [("words", 2)]
    assert report.batch is not None and report.batch.steps[0].peak_memory_bytes > 0
    assert report.realtime is not None and (report.realtime.answered, report.realtime.asked) == (2, 2)
    assert [(one.compared, one.min_cosine > 0.9999) for one in report.parity] == [(2, True)]
    assert list(trial_text.lines(report))[-1] == "mixpeek://probe@1.0.0: passed, 0 warnings"
    assert any("hello from the author" in log.read_text() for log in (tmp_path / "logs").iterdir())


def test_what_is_broken_is_said_with_its_line(tmp_path: Path) -> None:
    extractor("init", "probe", cwd=tmp_path)
    manifest, embed, realtime = (
        tmp_path / "probe" / name for name in ("manifest.py", "processors/embed.py", "realtime.py")
    )
    manifest.write_text(
        manifest.read_text().replace('"words": {', '"language": {"type": "string"},\n    "words": {')
    )
    realtime.write_text(realtime.read_text().replace("[0].tolist()", "[0][::-1].tolist()"))
    slow = '        batch["tag"] = [self.model.predict(text) for text in texts]\n        return batch'
    embed.write_text(
        embed.read_text()
        .replace("        self.config = config", "        self.model = Model()")
        .replace("        return batch", slow)
        .replace(
            "class EmbedProcessor:",
            "class Model:\n    def predict(self, text):\n        return text[:1]\n\n\nclass EmbedProcessor:",
        )
    )
    line = 1 + embed.read_text().splitlines().index(slow.splitlines()[0])

    done = extractor("test", "probe", "-o", "json", cwd=tmp_path)

    report = TrialReport.model_validate_json(done.stdout)
    found = [(each.rule, each.severity, each.path, each.line) for each in report.findings]
    text = list(trial_text.lines(report))
    assert done.returncode == 3, done.stderr
    assert found == [
        ("T04", "reject", "manifest.py", None),
        ("T06", "reject", "realtime.py", None),
        ("SEQ001", "warn", "processors/embed.py", line),
    ]
    assert text[-4].startswith("manifest.py: T04 output_schema promises language, but no document has it →")
    assert text[-3].startswith(
        "realtime.py: T06 batch and realtime disagree on probe_embedding: for example_input the cosine is"
    )
    assert text[-2].startswith(
        f"processors/embed.py:{line}:25: warn: SEQ001 self.model.predict waits for a model"
    )
    assert text[-1] == "mixpeek://probe@1.0.0: failed, 2 findings, 1 warning"


def test_an_archive_that_the_scan_refuses_is_not_run(tmp_path: Path) -> None:
    extractor("init", "probe", cwd=tmp_path)
    pipeline = tmp_path / "probe" / "pipeline.py"
    pipeline.write_text("import subprocess\n" + pipeline.read_text())

    done = extractor("test", "probe", cwd=tmp_path)

    assert done.returncode == 3
    assert done.stdout.splitlines()[0].startswith("pipeline.py:1:1: C04 ")
    assert done.stdout.splitlines()[-1] == "mixpeek://probe@1.0.0: failed, 1 finding, 0 warnings"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An extractor for images, a folder of three, and a list that names one of them."""
    home = tmp_path_factory.mktemp("pictures")
    for name, text in IMAGE_EXTRACTOR.items():
        (home / "colours").mkdir(exist_ok=True)
        (home / "colours" / name).write_text(text)
    for name, colour in COLOURS.items():
        (home / "pictures").mkdir(exist_ok=True)
        Image.new("RGB", (32, 24), colour).save(home / "pictures" / f"{name}.png")
    (home / "list.jsonl").write_text('{"id": "listed", "image_url": "pictures/green.png"}\n')
    return home


def test_images_are_tried_by_file_and_by_a_record_that_names_one(pictures: Path) -> None:
    done = extractor(
        "test", "colours", "-i", "pictures/red.png", "-i", "list.jsonl", "-o", "json", cwd=pictures
    )

    report = TrialReport.model_validate_json(done.stdout)
    assert (done.returncode, report.findings) == (0, ()), done.stderr
    assert report.samples == ("red.png", "listed")
    assert [(one.compared, one.max_difference) for one in report.parity] == [(2, 0.0)]


def test_a_folder_of_images_is_found_by_an_image(pictures: Path, tmp_path: Path) -> None:
    query = tmp_path / "query.png"
    Image.new("RGB", (8, 8), (20, 20, 200)).save(query)
    uri = "mixpeek://colours@1.0.0/colour"

    ran = extractor("run", "colours", "--source", "pictures", "--store", "store", cwd=pictures)
    found = extractor("query", uri, "--file", query, "--store", "store", "-o", "json", cwd=pictures)
    told = extractor("query", uri, "--file", query, "--store", "store", "-k", "1", cwd=pictures)

    assert ran.returncode == 0, ran.stderr
    assert found.returncode == 0, found.stderr
    document = json.loads(found.stdout)[0]["document"]
    path = str(pictures / "pictures" / "blue.png")
    assert (document["data"], document["mime_type"], document["width"]) == (path, "image/png", 32)
    assert told.stdout.splitlines()[0].endswith("  blue.png")
    assert told.stdout.splitlines()[1:] == [f"   {path}", "   width: 32"]
