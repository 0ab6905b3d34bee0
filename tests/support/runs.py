"""Builders for runs: a tree on disk, a manifest, a config, objects as a source gives them."""

import hashlib
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from extractor_apis.manifest import Manifest
from extractor_apis.run import RunConfig
from extractor_runtime.loader import Tree

DIMENSIONS = 4


def make_manifest(**changes: Any) -> Manifest:
    values: dict[str, Any] = {
        "name": "probe",
        "version": "1.0.0",
        "vectors": [{"name": "vector", "dimensions": DIMENSIONS}],
        "compute_profile": {"batch_size": 4},
    }
    return Manifest.model_validate({**values, **changes})


def make_tree(root: Path, files: dict[str, str]) -> Tree:
    """Write an archive's files; the digest is the content's, as a real one is."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    digest = hashlib.sha256(str(root).encode() + orjson.dumps(files)).hexdigest()
    return Tree(root, f"sha256:{digest}")


def make_config(tree: Tree, store: Path, **changes: Any) -> RunConfig:
    values: dict[str, Any] = {
        "run_id": "run-test",
        "collection": "default",
        "source": "unused.jsonl",
        "store": str(store),
        "tree": str(tree.root),
        "artifact_digest": tree.digest,
        "manifest": make_manifest(),
    }
    return RunConfig.model_validate({**values, **changes})


def make_objects(texts: dict[str, str | None], fields: dict[str, Any] | None = None) -> pa.Table:
    """Objects as `Source.read` yields them, text each."""
    rows = len(texts)
    metadata = None if fields is None else orjson.dumps(fields).decode()
    return pa.table(
        {
            "object_id": pa.array(list(texts), pa.string()),
            "blob_property": pa.array(["text"] * rows, pa.string()),
            "blob_type": pa.array(["text"] * rows, pa.string()),
            "mime_type": pa.array(["text/plain"] * rows, pa.string()),
            "size_bytes": pa.array([0] * rows, pa.int64()),
            "data": pa.array(list(texts.values()), pa.string()),
            "content_hash": pa.array(list(texts), pa.string()),
            "fields": pa.array([metadata] * rows, pa.string()),
        }
    )
