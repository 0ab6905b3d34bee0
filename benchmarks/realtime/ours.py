"""Hold our endpoint over the benchmark's archive until standard input ends."""

import sys
from pathlib import Path

from extractor_apis.manifest import Manifest
from extractor_runtime import loader
from extractor_runtime.realtime import serve

if __name__ == "__main__":
    root = Path(__file__).parent / "archive"
    names: dict[str, object] = {}
    exec((root / "manifest.py").read_text(), names)
    tree = loader.Tree(root, "sha256:" + "b" * 64)
    with serve.start(tree, Manifest.from_names(names), port=0) as endpoint:
        print(endpoint.url, flush=True)
        sys.stdin.read()
