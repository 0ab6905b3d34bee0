"""The images example: a cropped or turned photograph finds its source among more than two hundred."""

import base64
import io
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support import examples
from support.example_runs import Example

pytestmark = pytest.mark.integration

Change = Callable[[Image.Image, int], Image.Image]


def crop(image: Image.Image, number: int) -> Image.Image:
    """Leave 90 % of both sides, at a place that differs from picture to picture."""
    side = round(0.9 * image.width)
    left, top = np.random.default_rng(number).integers(0, image.width - side, 2, endpoint=True).tolist()
    return image.crop((left, top, left + side, top + side))


def turn(image: Image.Image, number: int) -> Image.Image:
    """Turn by one, two or three quarters."""
    return image.rotate(90 * (1 + number % 3))


def tilt(image: Image.Image, number: int) -> Image.Image:
    """Turn by 10 degrees one way or the other, and leave what has no corners of nothing."""
    degrees = 10 if number % 2 else -10
    side = math.floor(image.width / (math.cos(math.radians(10)) + math.sin(math.radians(10))))
    margin = (image.width - side) // 2
    turned = image.rotate(degrees, Image.Resampling.BICUBIC)
    return turned.crop((margin, margin, margin + side, margin + side))


def crop_and_tilt(image: Image.Image, number: int) -> Image.Image:
    """Do both: three quarters of each side are left."""
    return tilt(crop(image, number), number)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    written: list[Path] = examples.script("prepare_photographs").prepare(
        tmp_path_factory.mktemp("photographs")
    )
    return written


@pytest.fixture(scope="module")
def example(photographs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Example:
    """The example, run over the photographs and one file that is none."""
    example = Example.admit("images", tmp_path_factory.mktemp("store"))
    folder = photographs[0].parent
    (folder / "no-photograph.jpg").write_bytes(b"this is no JPEG")

    state = example.run(folder)

    assert (state.documents, state.objects_failed) == (len(photographs), 1)
    return example


# Of every hundred, how many are found at the first place by either vector: what was measured, less three.
@pytest.mark.parametrize(
    ("change", "want"),
    [
        pytest.param(turn, 97, id="turned by quarters"),
        pytest.param(crop, 93, id="cropped to 90 percent"),
        pytest.param(tilt, 88, id="tilted by 10 degrees"),
        pytest.param(crop_and_tilt, 75, id="cropped and tilted"),
    ],
)
def test_changed_photograph_finds_its_source(
    change: Change, want: int, example: Example, photographs: list[Path]
) -> None:
    asked = photographs[::3]
    answers = example.answer(
        {"image": data_url(change(Image.open(file), number))} for number, file in enumerate(asked)
    )

    assert len(photographs) >= 200
    for feature in ("colour", "structure"):
        hits = example.nearest(feature, [answer[feature] for answer in answers])
        found = [hit.object_id == file.name for (hit,), file in zip(hits, asked, strict=True)]
        assert 100 * sum(found) / len(found) >= want, feature


def test_document_has_the_attributes(example: Example, photographs: list[Path]) -> None:
    [answer] = example.answer([{"image": str(photographs[0])}])

    [[hit]] = example.nearest("colour", [answer["colour"]])

    assert hit.score == pytest.approx(1, abs=1e-4)
    assert hit.document["data"] == str(photographs[0])
    assert (hit.document["width"], hit.document["height"]) == (128, 128)
    assert hit.document["colour_name"] in {"grey", "brown", "black", "orange", "red", "pink"}


def data_url(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
