"""Fuzz one target for a while: ``python -m fuzz TARGET SECONDS``; see README.md."""

import sys
from pathlib import Path

import atheris

_ROOT = Path(__file__).parents[1]
_FOLDER = _ROOT / ".cache" / "fuzz"

sys.path.insert(0, str(_ROOT / "tests"))
with atheris.instrument_imports(include=["extractor_sandbox"]):
    from support.fuzz_targets import TARGETS


def main() -> None:
    """Start from the seeds and from what earlier runs found worth keeping; leave what breaks a promise."""
    name, seconds = sys.argv[1:]
    target, seeds = TARGETS[name]
    corpus, found = _FOLDER / "corpus" / name, _FOLDER / "found" / name
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    limits = ["-timeout=20", "-rss_limit_mb=2048", "-max_len=65536", f"-max_total_time={seconds}"]
    atheris.Setup(
        [sys.argv[0], *limits, "-print_final_stats=1", f"-artifact_prefix={found}/", str(corpus)], target
    )
    atheris.Fuzz()


main()
