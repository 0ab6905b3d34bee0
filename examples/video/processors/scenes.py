"""Scenes: runs of frames that look alike, each with the frame that stands for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from shared.plugins import open_asset
from shared.plugins.sdk import parallel_io

from . import frames, layout
from .layout import Floats


@dataclass(frozen=True)
class SceneConfig:
    """The extractor's parameters; manifest.py says what they mean."""

    frames_per_second: float = 4.0
    difference: float = 0.2
    shortest: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.frames_per_second <= 60:
            raise ValueError(f"frames_per_second is {self.frames_per_second!r}: give more than 0, up to 60")
        if not 0 < self.difference <= 1:
            raise ValueError(f"difference is {self.difference!r}: give more than 0, up to 1")
        if self.shortest < 0:
            raise ValueError(f"shortest is {self.shortest!r}: give seconds, 0 or more")


@dataclass(frozen=True)
class Scene:
    """What becomes of a document; times are in seconds from the beginning of the video."""

    start: float
    end: float
    keyframe_at: float
    keyframe: Floats


class FindScenes:
    """Makes of each row, whose ``data`` names a video, one row a scene."""

    def __init__(self, config: SceneConfig, progress_actor: Any = None) -> None:
        self._config = config

    def __call__(self, batch: pd.DataFrame) -> pd.DataFrame:
        """Repeat every row for its scenes."""
        rows = batch.assign(scene=self._find(batch["data"].tolist())).explode("scene", ignore_index=True)
        return rows.drop(columns="scene").assign(
            start=[scene.start for scene in rows["scene"]],
            end=[scene.end for scene in rows["scene"]],
            keyframe_at=[scene.keyframe_at for scene in rows["scene"]],
            keyframe=[scene.keyframe for scene in rows["scene"]],
        )

    def _find(self, addresses: Sequence[str]) -> list[list[Scene]]:
        found = parallel_io(addresses, self._find_in)
        # What is missing is tried again here, where it may raise: its dead letter then says why.
        return [found.get(index) or self._find_in(address) for index, address in enumerate(addresses)]

    def _find_in(self, address: str) -> list[Scene]:
        with open_asset(address) as path:
            decoded = frames.read(path, frames_per_second=self._config.frames_per_second)
        return find(layout.describe(decoded), self._config)


def find(described: Floats, config: SceneConfig) -> list[Scene]:
    """Find the scenes in the descriptions of a video's frames, in order and without gaps."""
    rate = config.frames_per_second
    starts = _starts(described, config.difference, round(config.shortest * rate))
    scenes = []
    for start, end in zip(starts, [*starts[1:], len(described)], strict=True):
        frame = start + _typical(described[start:end])
        scenes.append(Scene(start / rate, end / rate, frame / rate, described[frame]))
    return scenes


def _starts(described: Floats, difference: float, shortest: int) -> list[int]:
    """Give the first frames of scenes: those that differ from the frame before.

    Of several that are closer than a scene may be, the one that differs most.
    """
    differences = np.linalg.norm(np.diff(described, axis=0), axis=1)
    starts, taken = [0], np.zeros(len(described), bool)
    taken[:shortest] = True
    for frame in np.argsort(-differences, kind="stable") + 1:
        if differences[frame - 1] > difference and not taken[frame]:
            starts.append(int(frame))
            taken[max(frame - shortest + 1, 0) : frame + shortest] = True
    return sorted(starts)


def _typical(described: Floats) -> int:
    """Choose the frame that is most like all of them."""
    return int(np.linalg.norm(described - described.mean(axis=0), axis=1).argmin())
