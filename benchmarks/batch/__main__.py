"""`python -m benchmarks.batch`: our batch path against hand-written Ray Data, and pandas against Arrow.

Three sides run as fresh processes, turn by turn, over the same texts with the same model object; every figure
is a ratio of two in one round. The slope is the cost of a further row, the fixed cost what a run costs before
any.
"""

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks import slopes

HERE = Path(__file__).parent
SIZES = (2_000, 8_000, 16_000)
HAND, PANDAS, ARROW = "by_hand", "ours", "arrow"


def main() -> None:
    """Print the tables, and write every run to a JSON file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/batch.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:

        def one(side: str, rows: int, number: int) -> slopes.Run:
            return run_side(side, rows, Path(folder, f"{side}-{rows}-{number}"))

        runs = slopes.interleave(one, (HAND, PANDAS, ARROW), options.sizes, options.rounds)
    slopes.write(runs, options.results)
    slopes.report(runs, ours=PANDAS, peer=HAND)
    slopes.report(runs, ours=PANDAS, peer=ARROW)


def run_side(side: str, rows: int, folder: Path) -> slopes.Run:
    """Run one side once over so many rows."""
    folder.mkdir()
    source = folder / "texts.jsonl"
    with source.open("w") as file:
        for row in range(rows):
            text = f"text {row} of a stream of rather ordinary sentences"
            file.write(json.dumps({"id": str(row), "text": text}) + "\n")
    if side == HAND:
        command: list[object] = [slopes.PYTHON, HERE / "by_hand.py", source, folder / "store"]
    else:
        parameters = {"batch_format": "pyarrow" if side == ARROW else "pandas"}
        config = slopes.write_config(HERE / "extractor", source, folder, parameters)
        command = [slopes.PYTHON, HERE / "ours.py", config]
    return slopes.run(command, side, rows)


if __name__ == "__main__":
    main()
