"""Cut the photographs that scikit-image carries into small ones: a folder of pictures for the images example.

Only files of the installed package are read: nothing is downloaded.
"""

import argparse
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageStat

SIDE = 128
"""Pixels of a piece, both ways."""

PHOTOGRAPHS = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "cell.png",
    "chelsea.png",
    "clock_motion.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "moon.png",
    "motorcycle_left.png",
    "retina.jpg",
    "rocket.jpg",
)

_LARGEST = 1000
_LEAST_CONTRAST = 8


def main() -> None:
    """Prepare a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to write to; may exist")
    print(f"{len(prepare(parser.parse_args().out))} photographs")


def prepare(out: Path) -> list[Path]:
    """Write the pieces, named after their photograph and their place in it, and return them."""
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name in PHOTOGRAPHS:
        with Image.open(folder() / name) as image:
            photograph = image.convert("RGB")
        photograph.thumbnail((_LARGEST, _LARGEST))
        for row, column, piece in pieces(photograph):
            file = out / f"{Path(name).stem}-{row}-{column}.jpg"
            piece.save(file, quality=90)
            written.append(file)
    return written


def folder() -> Path:
    """Find the pictures of scikit-image without importing it."""
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        raise SystemExit("scikit-image is not installed: run pip install -r requirements/examples.in")
    return Path(spec.origin).parent / "data"


def pieces(photograph: Image.Image) -> Iterator[tuple[int, int, Image.Image]]:
    """Cut a photograph into pieces that do not overlap, with row and column; blank ones are left out."""
    for row in range(photograph.height // SIDE):
        for column in range(photograph.width // SIDE):
            left, top = column * SIDE, row * SIDE
            piece = photograph.crop((left, top, left + SIDE, top + SIDE))
            if ImageStat.Stat(piece.convert("L")).stddev[0] >= _LEAST_CONTRAST:
                yield row, column, piece


if __name__ == "__main__":
    main()
