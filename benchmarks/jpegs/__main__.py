"""`python -m benchmarks.jpegs`: photos decoded in the author's code, against the same by hand in Ray Data.

Both sides run the same decoding over the same files; only what is around it differs.
"""

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks import slopes
from benchmarks.jpegs import photos

HERE = Path(__file__).parent
SIZES = (1_000, 5_000, 10_000)


def main() -> None:
    """Print the table, and write every run to a JSON file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/jpegs.json"))
    parser.add_argument("--photos", type=Path, default=Path(".cache/bench/jpegs"))
    options = parser.parse_args()
    files = photos.ensure(options.photos, max(options.sizes))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:

        def one(side: str, rows: int, number: int) -> slopes.Run:
            return run(side, files[:rows], Path(folder, f"{side}-{rows}-{number}"))

        runs = slopes.interleave(one, ("by_hand", "ours"), options.sizes, options.rounds)
    slopes.write(runs, options.results)
    slopes.report(runs, ours="ours", peer="by_hand")


def run(side: str, files: list[Path], folder: Path) -> slopes.Run:
    """Run one side once over some of the photos."""
    folder.mkdir()
    source = folder / "photos.jsonl"
    source.write_text("".join(json.dumps({"id": file.stem, "image_url": str(file)}) + "\n" for file in files))
    if side == "ours":
        config = slopes.write_config(HERE / "extractor", source, folder)
        return slopes.run([slopes.PYTHON, HERE.parent / "batch" / "ours.py", config], side, len(files))
    return slopes.run([slopes.PYTHON, HERE / "by_hand.py", source, folder / "store"], side, len(files))


if __name__ == "__main__":
    main()
