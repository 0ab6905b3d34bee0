"""An author's archive from its files to its answers, in this process: scanned, unpacked, built, run."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from extractor_apis.manifest import Manifest
from extractor_runtime.batch import author, notes, plan, rows
from extractor_runtime.batch.notes import NOTE, Failure
from extractor_runtime.batch.stage import StageActor, StageConfig
from extractor_runtime.loader import Tree
from support import archives, runs


@dataclass(frozen=True)
class Admitted:
    """An archive that the scan accepted."""

    tree: Tree
    manifest: Manifest
    warnings: frozenset[str]


def admit(archive: bytes, folder: Path) -> Admitted:
    """Scan an archive and unpack what the scan wrote; fails on a rejection."""
    outcome, canonical = archives.judge_and_keep(archive)
    rejected = [finding for finding in outcome.findings if finding.rejects]
    assert not rejected and outcome.names is not None, rejected
    root = folder / "tree"
    with zipfile.ZipFile(io.BytesIO(canonical)) as accepted:
        accepted.extractall(root)
    # The folder is part of it, as modules of another test's tree must not be found.
    digest = "sha256:" + hashlib.sha256(str(folder).encode() + canonical).hexdigest()
    manifest = Manifest.from_names(outcome.names)
    return Admitted(Tree(root, digest, outcome.top_folder), manifest, frozenset(archives.warnings(outcome)))


def wrap(files: Mapping[str, str | bytes], folder: str | None) -> dict[str, bytes]:
    """Put files into one folder around everything, or leave them at the root."""
    prefix = f"{folder}/" if folder else ""
    return {
        prefix + name: content.encode() if isinstance(content, str) else content
        for name, content in files.items()
    }


def run(admitted: Admitted, folder: Path, texts: Mapping[str, str], **changes: Any) -> list[dict[str, Any]]:
    """Put texts through the archive's pipeline; documents with their vectors, failures as ``failed``."""
    config = runs.make_config(admitted.tree, folder, **{"manifest": admitted.manifest, **changes})
    built = author.build_pipeline(admitted.tree, config)
    steps = plan.resolve_steps(built.steps, admitted.manifest.compute_profile)
    actor = StageActor(StageConfig(admitted.tree, config, tuple(steps), is_last=True))
    table = actor(rows.contract_table(runs.make_objects(dict(texts)), config))
    return [
        _document(record, admitted.manifest)
        for record in table.to_pylist()
        if not record[NOTE] or isinstance(notes.load(record[NOTE]), Failure)
    ]


def _document(record: dict[str, Any], manifest: Manifest) -> dict[str, Any]:
    if record[NOTE]:
        note = notes.load(record[NOTE])
        assert isinstance(note, Failure)
        return {"object_id": note.object_id, "failed": note.error, "location": note.location}
    vectors = {feature.name: record[feature.name] for feature in manifest.vectors}
    return {**orjson.loads(record["document"]), **vectors}
