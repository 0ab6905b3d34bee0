"""Scenes end where frames change, and each has a frame that is like the others."""

from typing import Any

import numpy as np
import pytest

from support import examples

layout = examples.module("video", "processors.layout")
scenes = examples.module("video", "processors.scenes")


def make_frames(*colours: str) -> Any:
    """One frame for each letter: black, dark, grey, white, red."""
    values = {"b": (0,) * 3, "d": (80,) * 3, "x": (128,) * 3, "w": (255,) * 3, "r": (255, 0, 0)}
    return np.stack([np.full((32, 32, 3), values[colour], np.uint8) for colour in "".join(colours)])


@pytest.mark.parametrize(
    ("shown", "want"),
    [
        pytest.param("b" * 8, [(0, 2)], id="one scene"),
        pytest.param("bbbbrrrr", [(0, 1), (1, 2)], id="a cut"),
        pytest.param("bbbbrrrrwwww", [(0, 1), (1, 2), (2, 3)], id="two cuts"),
        pytest.param("bbbbwbbb", [(0, 1), (1, 2)], id="a flash ends a scene once"),
        pytest.param("bbwwwwww", [(0, 2)], id="too soon after the beginning"),
        pytest.param("bbbbdwwww", [(0, 1.25), (1.25, 2.25)], id="the greater of two changes"),
        pytest.param("w", [(0, 0.25)], id="a single frame"),
    ],
)
def test_scenes_end_where_frames_change(shown: str, want: list[tuple[float, float]]) -> None:
    found = scenes.find(layout.describe(make_frames(shown)), scenes.SceneConfig())

    assert [(scene.start, scene.end) for scene in found] == want


def test_difference_says_how_much_must_change() -> None:
    described = layout.describe(make_frames("bbbbxxxxwwww"))

    assert len(scenes.find(described, scenes.SceneConfig(difference=0.4))) == 3
    assert len(scenes.find(described, scenes.SceneConfig(difference=0.6))) == 1


def test_keyframe_is_the_one_most_like_the_others() -> None:
    described = layout.describe(make_frames("xbbbbbwb"))

    (scene,) = scenes.find(described, scenes.SceneConfig(difference=1))

    assert scene.keyframe_at == 0.25
    np.testing.assert_array_equal(scene.keyframe, described[1])


def test_distance_is_the_root_mean_square_of_what_differs() -> None:
    black, white, red = layout.describe(make_frames("bwr"))

    assert np.linalg.norm(white - black) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(red - black) == pytest.approx(np.sqrt(1 / 9 + 1 / 4 + 1 / 16), abs=1e-5)


def test_layout_tells_where_the_colours_are() -> None:
    above = make_frames("b")
    above[:, :16] = 255

    described = layout.describe(np.concatenate([above, above[:, ::-1], above.transpose(0, 2, 1, 3)]))

    distances = np.linalg.norm(described - described[0], axis=1)
    assert (distances[1:] > 0.5).all()
    assert described.shape == (3, examples.module("video", "manifest").features[0]["embedding_dim"])


@pytest.mark.parametrize(
    ("parameters", "want"),
    [
        pytest.param({"frames_per_second": 0}, "frames_per_second is 0: give", id="no frames"),
        pytest.param({"difference": 2}, "difference is 2: give", id="no such difference"),
        pytest.param({"shortest": -1}, "shortest is -1: give", id="less than nothing"),
    ],
)
def test_parameter_out_of_bounds_is_refused(parameters: dict[str, float], want: str) -> None:
    with pytest.raises(ValueError, match=want):
        scenes.SceneConfig(**parameters)
