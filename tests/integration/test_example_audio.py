"""The audio example: a clip that is cut out of a recording, softer and noisy, finds its recording."""

import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support import media
from support.example_runs import Example

pytestmark = pytest.mark.integration

RATE = 16_000
RECORDINGS = 24
SECONDS = 8


def make_music(number: int) -> Any:
    """Play a melody of five notes at random, with the overtones and the tempo of an instrument of its own."""
    random = np.random.default_rng(number)
    notes = 110 * 2 ** (random.integers(0, 36, 5) / 12)
    overtones = random.uniform(0, 1, 6) ** 2
    length = int(RATE * random.uniform(0.15, 0.5))
    time = np.arange(length) / RATE
    played = []
    for note in random.choice(notes, RATE * SECONDS // length + 1):
        waves = [each * np.sin(2 * np.pi * note * (order + 1) * time) for order, each in enumerate(overtones)]
        played.append(np.sum(waves, axis=0) * np.exp(-6 * time))
    music = np.concatenate(played)[: RATE * SECONDS]
    return 0.5 * music / np.abs(music).max()


def write(path: Path, samples: Any) -> Path:
    """Write 16 bits, one channel."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    media.need("ffmpeg")
    folder = tmp_path_factory.mktemp("recordings")
    return [write(folder / f"{number:02}.wav", make_music(number)) for number in range(RECORDINGS)]


@pytest.fixture(scope="module")
def example(recordings: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Example:
    """The example, run over the recordings and one that is silent."""
    example = Example.admit("audio", tmp_path_factory.mktemp("store"))
    write(recordings[0].parent / "silent.wav", np.zeros(RATE))

    state = example.run(recordings[0].parent, parameters={"seconds": 4})

    assert (state.objects_failed, state.documents) == (1, 3 * RECORDINGS)
    return example


def test_clip_finds_its_recording(example: Example, recordings: list[Path], tmp_path: Path) -> None:
    clips = []
    for number in range(RECORDINGS):
        random = np.random.default_rng(1000 + number)
        start = random.integers(0, RATE * (SECONDS - 3))
        clip = 0.3 * make_music(number)[start : start + 3 * RATE]
        noise = random.normal(0, clip.std() / 10, len(clip))
        clips.append(write(tmp_path / f"{number}.wav", clip + noise))

    answers = example.answer({"audio": str(clip)} for clip in clips)

    hits = example.nearest("sound", [answer["embedding"] for answer in answers])
    found = [hit.object_id == recording.name for (hit,), recording in zip(hits, recordings, strict=True)]
    assert sum(found) >= 0.9 * RECORDINGS


def test_segments_say_when_they_are(example: Example) -> None:
    times = {
        (document["start"], document["end"])
        for document in example.documents()
        if document["object_id"] == "00.wav"
    }

    assert times == {(0.0, 4.0), (2.0, 6.0), (4.0, 8.0)}
