"""Processes that use a blob store at the same time."""

from pathlib import Path

from extractor_artifacts.blobs import BlobStore

ROUNDS = 50


def use(root: Path, file: Path, into: Path) -> None:
    """Keep a file and take it out again; what is had must be whole, however often it is swept away."""
    blobs, content = BlobStore(root), file.read_bytes()
    for _ in range(ROUNDS):
        digest = blobs.add(file)
        if blobs.take(digest, into) is not None:
            assert into.read_bytes() == content


def sweep(root: Path) -> None:
    """Remove everything, again and again."""
    for _ in range(ROUNDS):
        BlobStore(root).sweep([], older_than=-1)
