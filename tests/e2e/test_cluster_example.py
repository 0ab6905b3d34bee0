"""The example that the documentation applies to a cluster: a real sentence model over real prose."""

import json
import re
import shutil
from pathlib import Path

import pytest

from support import kuberay_world, operators, s3, text_passages
from support.kuberay_world import World

pytestmark = pytest.mark.e2e

MANIFESTS = text_passages.EXAMPLES / "text_passages/cluster.yaml"
QUESTION = "What does break do to the else of a loop?"
TOPICS = ("assert", "break", "del", "lambda", "pass", "yield")
"""Of the prepared ones: enough that a wrong answer is possible."""


def test_the_example_is_applied_ingested_served_and_asked(tmp_path: Path) -> None:
    folder, topics = text_passages.prepare(tmp_path / "prepared")
    archive = Path(shutil.make_archive(str(tmp_path / "archive"), "zip", folder)).read_bytes()
    wide = {
        # What it depends on the runtime has.
        "packages": {"offline": True},
        "sources": {"allowedAddresses": ["127.0.0.0/8"]},
        "defaults": {"scan": {"allowedDependencies": ["safetensors", "tokenizers"]}},
    }
    with kuberay_world.run(tmp_path / "world", has_jobs=True, **wide) as world:
        source = world.publish(archive, "text-passages.zip")["zip"]

        world.apply_text(_manifests(source, _write(world, topics)))

        collection = world.settled("Collection", "topics")
        assert operators.kstatus(collection) == "Current", collection["status"]
        world.settled("Extractor", "text-passages")
        [hit] = world.search("text-passages", QUESTION, limit=1)
        assert hit.object_id == "break"


def _write(world: World, topics: Path) -> str:
    """Put the chosen topics where pods can read them."""
    lines = [line for line in topics.read_text().splitlines() if json.loads(line)["id"] in TOPICS]
    assert len(lines) == len(TOPICS)
    s3.put({"topics.jsonl": "\n".join(lines).encode()})
    return f"s3://{s3.BUCKET}/topics.jsonl"


def _manifests(source: dict[str, str], objects: str) -> str:
    """Fill in what the example asks its reader to change."""
    text = MANIFESTS.read_text()
    for old, new in (
        (r"https://files\.example\.com/\S+", source["url"]),
        (r"sha256:0+", source["digest"]),
        (r"s3://\S+", objects),
    ):
        text, count = re.subn(old, new, text)
        assert count == 1, f"{MANIFESTS} has {count} of {old}"
    return text
