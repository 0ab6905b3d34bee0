"""Archives of every shape that authors write: scanned, unpacked, built and run as a worker does it."""

import asyncio
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extractor_runtime import errors
from extractor_runtime.realtime.realtime_service import RealtimeService
from support import archive_forms, author_archives
from support.archives import make_tar, make_zip

TEXTS = {"a": "four", "b": "", "c": "seven77"}


def archive(
    manifest: str = archive_forms.FLAT, steps: str = archive_forms.STEPS["a function"], **more: str
) -> dict[str, str | bytes]:
    return {"manifest.py": manifest, "pipeline.py": steps, "processors/core.py": archive_forms.CORE, **more}


def zipped(files: Mapping[str, str | bytes], folder: str | None = "probe") -> bytes:
    return make_zip(author_archives.wrap(files, folder))


def shown(documents: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (each["object_id"], each.get("vector"), each.get("length", each.get("failed"))) for each in documents
    ]


@pytest.mark.parametrize("steps", archive_forms.STEPS.values(), ids=archive_forms.STEPS)
@pytest.mark.parametrize("dialect", archive_forms.DIALECTS)
def test_every_dialect_runs_with_every_form_of_step(dialect: str, steps: str, tmp_path: Path) -> None:
    manifest, want_warnings = archive_forms.DIALECTS[dialect]

    admitted = author_archives.admit(zipped(archive(manifest, steps)), tmp_path)
    documents = author_archives.run(admitted, tmp_path, TEXTS)

    assert (admitted.manifest.uri.extractor, admitted.manifest.version) == ("probe", "1.0.0")
    assert admitted.warnings == want_warnings
    assert shown(documents) == [("a", [4.0, 1.0], 4), ("b", [0.0, 1.0], 0), ("c", [7.0, 1.0], 7)]


@pytest.mark.parametrize("realtime", archive_forms.CLASS_FORMS.values(), ids=archive_forms.CLASS_FORMS)
@pytest.mark.parametrize("dialect", list(archive_forms.DIALECTS)[:3])
def test_every_dialect_answers_with_every_form_of_class(dialect: str, realtime: str, tmp_path: Path) -> None:
    files = archive(archive_forms.DIALECTS[dialect][0], **{"realtime.py": realtime})
    admitted = author_archives.admit(zipped(files), tmp_path)

    service = RealtimeService.load(admitted.tree, admitted.manifest)
    try:
        answer = asyncio.run(service.answer({"text": "four"}, {}))
    finally:
        service.close()

    assert next(iter(answer.values())) in ([4.0, 1.0], [[4.0, 1.0]])


IMPORTS = {
    "relative": "from .processors.core import Config, Processor\nfrom .manifest import features\n",
    "absolute": "from processors.core import Config, Processor\nfrom manifest import features\n",
    "through the top folder": (
        "from probe.processors.core import Config, Processor\nfrom probe.manifest import features\n"
    ),
    "as modules": "import processors.core\nfrom . import manifest\nConfig = processors.core.Config\n"
    "Processor = processors.core.Processor\nfeatures = manifest.features\n",
}
BUILD = """
def build_steps(**kwargs):
    assert features[0]["feature_name"] == "vector"
    return {"steps": [Processor(Config())]}
"""
PACKAGES = {
    "without __init__.py": {},
    "with __init__.py": {
        "__init__.py": "from .pipeline import build_steps\n",
        "processors/__init__.py": "from .core import Config, Processor\n",
    },
}


@pytest.mark.parametrize("files", PACKAGES.values(), ids=PACKAGES)
@pytest.mark.parametrize("imports", IMPORTS.values(), ids=IMPORTS)
@pytest.mark.parametrize("folder", ["probe", None], ids=["in a folder", "at the root"])
@pytest.mark.parametrize("pack", [make_zip, make_tar], ids=["zip", "tar.gz"])
def test_an_archive_of_every_form_runs(
    pack: Any, folder: str | None, imports: str, files: dict[str, str], tmp_path: Path
) -> None:
    if folder is None and imports is IMPORTS["through the top folder"]:
        imports = IMPORTS["relative"]  # There is no folder to import through.
    packed = author_archives.wrap(archive(steps=imports + BUILD, **files), folder)

    documents = author_archives.run(author_archives.admit(pack(packed), tmp_path), tmp_path, {"a": "four"})

    assert shown(documents) == [("a", [4.0, 1.0], 4)]


def test_an_archive_of_root_modules_and_models_runs(tmp_path: Path) -> None:
    weights = io.BytesIO()
    np.save(weights, np.array([2.0, 3.0]))
    steps = """
from pathlib import Path
import numpy as np

def process(batch):
    weights = np.load(Path(__file__).parent / "models" / "weights.npy")
    batch["vector"] = [(len(text) * weights).tolist() for text in batch["data"]]
    batch["length"] = 0
    return batch

def build_steps(extractor_request, **kwargs):
    return {"steps": [process], "prepare": lambda ds: ds}
"""
    files = {
        "manifest.py": archive_forms.FLAT,
        "pipeline.py": steps,
        "models/weights.npy": weights.getvalue(),
    }

    admitted = author_archives.admit(zipped(files, folder=None), tmp_path)

    assert shown(author_archives.run(admitted, tmp_path, {"a": "four"})) == [("a", [8.0, 12.0], 0)]


def test_a_built_in_model_that_is_used_fails_the_run_with_its_name(tmp_path: Path) -> None:
    steps = f"""{archive_forms.DEFINITION}
from engine.inference.intfloat.multilingual_e5_large_instruct.services import E5TextEmbeddingBatch

def build_steps(extractor_request, **kwargs):
    steps = [StepDefinition(E5TextEmbeddingBatch)]
    return {{"steps": build_pipeline_steps(PipelineDefinition("probe", "v1", steps))}}
"""
    admitted = author_archives.admit(zipped(archive(steps=steps)), tmp_path)

    (failed,) = author_archives.run(admitted, tmp_path, {"a": "four"})

    assert failed["failed"].startswith(
        "E5TextEmbeddingBatch could not be created: UnavailableModelError: the built-in model service "
        "intfloat/multilingual_e5_large_instruct is not part of this system: "
    )


def test_a_built_in_model_that_is_to_answer_fails_with_its_name(tmp_path: Path) -> None:
    realtime = "from engine.inference.laion.clip_vit_l_14.services import InferenceService as Clip\n"
    admitted = author_archives.admit(zipped(archive(**{"realtime.py": realtime})), tmp_path)

    with pytest.raises(errors.AuthorError, match="the built-in model service laion/clip_vit_l_14 is"):
        RealtimeService.load(admitted.tree, admitted.manifest)


@pytest.mark.parametrize(
    ("parameters", "want"),
    [({}, [4.0, 1.0]), ({"scale": 3}, [12.0, 1.0])],
    ids=["the declared default", "given"],
)
def test_parameters_reach_the_pipeline(parameters: dict[str, Any], want: list[float], tmp_path: Path) -> None:
    admitted = author_archives.admit(zipped(archive(steps=archive_forms.STEPS["a definition"])), tmp_path)

    (document,) = author_archives.run(admitted, tmp_path, {"a": "four"}, parameters=parameters)

    assert document["vector"] == want
