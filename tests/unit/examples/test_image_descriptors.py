"""A picture's vectors stay what they are when it is turned, and its names are those people use."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from support import examples

descriptors = examples.module("images", "processors.descriptors")
picture = examples.module("images", "processors.picture")


def make_picture(rows: int = 48, columns: int = 40) -> Any:
    """Blobs of colour, the same ones each time."""
    small = np.random.default_rng(7).integers(0, 256, (6, 5, 3), np.uint8)
    image = Image.fromarray(small).resize((columns, rows), Image.Resampling.BICUBIC)
    return np.asarray(image, np.float32) / 255


@pytest.mark.parametrize("feature", ["colour", "structure"])
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turned_picture_has_the_same_vector(feature: str, quarters: int) -> None:
    describe = getattr(descriptors, feature)
    image = make_picture()

    np.testing.assert_allclose(describe(np.rot90(image, quarters)), describe(image), atol=1e-3)


@pytest.mark.parametrize("feature", ["colour", "structure"])
def test_vector_has_the_declared_size_and_unit_length(feature: str) -> None:
    declared = {each["feature_name"]: each for each in examples.module("images", "manifest").features}

    vector = getattr(descriptors, feature)(make_picture())

    assert vector.shape == (declared[feature]["embedding_dim"],)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_colour_tells_pictures_apart_that_are_equally_bright() -> None:
    red, blue = np.zeros((2, 16, 16, 3), np.float32)
    red[..., 0] = blue[..., 2] = 0.6

    assert descriptors.colour(red) @ descriptors.colour(blue) < 0.1
    assert descriptors.structure(red) @ descriptors.structure(blue) == pytest.approx(1, abs=1e-5)


def test_structure_tells_stripes_from_an_even_grey() -> None:
    stripes = np.zeros((32, 32, 3), np.float32)
    stripes[::8] = stripes[1::8] = 1

    assert descriptors.structure(stripes) @ descriptors.structure(np.full_like(stripes, 0.25)) < 0.5


@pytest.mark.parametrize(
    ("rgb", "want"),
    [
        pytest.param((0, 0, 0), "black", id="nothing"),
        pytest.param((255, 255, 255), "white", id="everything"),
        pytest.param((128, 128, 128), "grey", id="half of everything"),
        pytest.param((200, 30, 30), "red", id="a tomato"),
        pytest.param((60, 140, 50), "green", id="a meadow"),
        pytest.param((50, 90, 200), "blue", id="the sky"),
        pytest.param((100, 65, 40), "brown", id="wood"),
    ],
)
def test_average_colour_has_its_name(rgb: tuple[int, int, int], want: str) -> None:
    assert descriptors.colour_name(np.full((4, 4, 3), rgb, np.float32) / 255) == want


@pytest.mark.parametrize(
    ("size", "want"),
    [
        pytest.param((256, 200), (200, 256), id="what fits stays as it is"),
        pytest.param((260, 200), (100, 130), id="what does not is halved"),
        pytest.param((1030, 100), (13, 129), id="until it fits"),
    ],
)
def test_picture_is_halved_until_it_fits(
    size: tuple[int, int], want: tuple[int, int], tmp_path: Path
) -> None:
    Image.new("L", size, 255).save(tmp_path / "picture.png")

    loaded = picture.load(str(tmp_path / "picture.png"))

    assert (loaded.rgb.shape, loaded.rgb.max()) == ((*want, 3), 1)
    assert (loaded.width, loaded.height) == size


def test_picture_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (20, 10)).save(tmp_path / "picture.jpg", exif=exif)

    loaded = picture.load(str(tmp_path / "picture.jpg"))

    assert (loaded.width, loaded.height) == (10, 20)


def test_picture_without_an_area_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (4000, 9)).save(tmp_path / "picture.png")

    with pytest.raises(ValueError, match="4000 by 9 pixels are too few"):
        picture.load(str(tmp_path / "picture.png"))
