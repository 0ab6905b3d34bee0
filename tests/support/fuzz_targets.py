"""What fuzzing calls: each takes any bytes, and raises only where the sandbox does not keep its word."""

import contextlib
import gzip
import io
import os
import zipfile
from collections.abc import Callable, Iterator
from functools import partial

from extractor_sandbox.extent import Extent
from extractor_sandbox.rules import weights as weight_rules
from support import seeds
from support.archives import extractor, judge_and_keep, judge_bytes, rejections

Target = Callable[[bytes], None]


class Broken(AssertionError):
    """A promise of the sandbox that an input breaks."""


def read_archive(data: bytes) -> None:
    """Judge an archive; what is accepted has to be what Python's own reader sees."""
    outcome, kept = judge_and_keep(data)
    if rejections(outcome):
        return
    if outcome.names is None:
        raise Broken("it is accepted without a manifest")
    if data.startswith(b"PK") and _contents(data) != _contents(kept):
        raise Broken("what is kept is not what another reader sees")


def read_tar(data: bytes) -> None:
    """Judge a tar, behind the checksum that no change of its own would get past."""
    read_archive(gzip.compress(data, 1, mtime=0))


def read_weights(extension: str, data: bytes) -> None:
    """Judge a model file."""
    with _open(data) as content:
        for rule in weight_rules.RULES:
            for finding in rule.judge(weight_rules.ModelFile(f"model.{extension}", content)):
                if finding.rule != seeds.RULES[extension]:
                    raise Broken(f"{finding.rule} speaks of a .{extension}")


def judge_source(data: bytes) -> None:
    """Judge a module."""
    judge_bytes(extractor({"core.py": data}))


def judge_manifest(data: bytes) -> None:
    """Judge a manifest."""
    outcome = judge_bytes(extractor({"manifest.py": data}))
    if outcome.names is None and not rejections(outcome):
        raise Broken("it is neither read nor rejected")


TARGETS: dict[str, tuple[Target, list[bytes]]] = {
    "archive": (read_archive, seeds.archives()),
    "tar": (read_tar, seeds.tars()),
    "source": (judge_source, seeds.sources()),
    "manifest": (judge_manifest, seeds.manifests()),
    **{kind: (partial(read_weights, kind), [seed]) for kind, seed in seeds.WEIGHTS.items()},
}
"""What is called, and what fuzzing starts from, by name."""


@contextlib.contextmanager
def _open(data: bytes) -> Iterator[Extent]:
    descriptor = os.memfd_create("fuzzed")
    try:
        os.write(descriptor, data)
        yield Extent(descriptor, 0, len(data))
    finally:
        os.close(descriptor)


def _contents(archive: bytes) -> list[bytes]:
    """Give the contents of a zip's files; names may have lost a folder around them."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return sorted(opened.read(each) for each in opened.infolist() if not each.is_dir())
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as err:
        raise Broken(f"another reader refuses it: {err}") from err
