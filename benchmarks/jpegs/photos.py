"""The photos: clouds of colour, each another cut of one picture; made once, and kept."""

from pathlib import Path

WIDTH, HEIGHT = 320, 240
_QUALITY = 85


def ensure(folder: Path, count: int) -> list[Path]:
    """Give so many photos, making those that are missing."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{number:05}.jpg" for number in range(count)]
    missing = [file for file in files if not file.exists()]
    if missing:
        print(f"making {len(missing)} photos in {folder}", flush=True)
        _make(missing)
    return files


def _make(files: list[Path]) -> None:
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(7)
    # Coarse noise enlarged, with fine noise on top, compresses as photographs do.
    coarse = Image.fromarray(random.integers(0, 256, (48, 64, 3), np.uint8)).resize((1280, 960))
    sky = np.asarray(coarse, np.int16) + random.integers(-12, 13, (960, 1280, 3), np.int16)
    picture = Image.fromarray(sky.clip(0, 255).astype(np.uint8))
    for file in files:
        left, top = (int(random.integers(0, most)) for most in (1280 - WIDTH, 960 - HEIGHT))
        writing = file.with_suffix(".writing")
        picture.crop((left, top, left + WIDTH, top + HEIGHT)).save(writing, "JPEG", quality=_QUALITY)
        writing.rename(file)
