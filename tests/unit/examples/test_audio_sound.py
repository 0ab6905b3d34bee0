"""How something sounds does not depend on when it begins or how loud it was recorded."""

from typing import Any

import numpy as np
import pytest

from support import examples

sound = examples.module("audio", "processors.sound")
segments = examples.module("audio", "processors.segments")

RATE = 8000


def make_tone(*hertz: float, seconds: float = 2.0) -> Any:
    """Tones that swell four times a second."""
    time = np.arange(round(seconds * RATE)) / RATE
    waves = sum(np.sin(2 * np.pi * each * time) for each in hertz) / len(hertz)
    return (0.3 * waves * (1.2 + np.sin(2 * np.pi * 4 * time))).astype(np.float32)


def similarity(first: Any, second: Any) -> float:
    one, other = sound.describe(first), sound.describe(second)
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda tone: tone / 10, id="softer"),
        pytest.param(lambda tone: tone[777:], id="begun later"),
        pytest.param(lambda tone: tone[: RATE // 2], id="cut to half a second"),
        pytest.param(lambda tone: tone + noise(len(tone), 0.01), id="with noise"),
    ],
)
def test_same_sound_is_more_alike_than_another(change: Any) -> None:
    tone = make_tone(300, 1200)

    assert similarity(change(tone), tone) > similarity(make_tone(400, 1200), tone)


def noise(samples: int, level: float) -> Any:
    return np.random.default_rng(1).normal(0, level, samples).astype(np.float32)


@pytest.mark.parametrize("samples", [1, 500, 1024, 5 * RATE])
def test_vector_has_the_declared_size_however_short_the_sound(samples: int) -> None:
    vector = sound.describe(make_tone(440, seconds=5)[-samples:])

    assert vector.shape == (examples.module("audio", "manifest").features[0]["embedding_dim"],)
    assert np.isfinite(vector).all()


@pytest.mark.parametrize(
    ("seconds", "want"),
    [
        pytest.param(1.0, [(0, 1)], id="shorter than a segment"),
        pytest.param(4.0, [(0, 4)], id="one segment"),
        pytest.param(5.0, [(0, 4), (1, 5)], id="the last ends with the recording"),
        pytest.param(8.0, [(0, 4), (2, 6), (4, 8)], id="segments overlap by half"),
    ],
)
def test_segments_cover_the_recording(seconds: float, want: list[tuple[float, float]]) -> None:
    cut = list(segments.cut(make_tone(440, seconds=seconds), 4.0))

    assert [(segment.start, segment.end) for segment in cut] == want


@pytest.mark.parametrize("seconds", [0, 0.4, 61])
def test_segment_length_out_of_bounds_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match=f"seconds is {seconds}: give"):
        segments.SegmentConfig(seconds=seconds)
