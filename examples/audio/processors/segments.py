"""Segments: a window that moves over a recording by half its length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from shared.plugins.sdk import parallel_io

from . import recording, sound
from .recording import RATE, Floats


@dataclass(frozen=True)
class SegmentConfig:
    """The extractor's parameters."""

    seconds: float = 5.0

    def __post_init__(self) -> None:
        if not 0.5 <= self.seconds <= 60:
            raise ValueError(f"seconds is {self.seconds!r}: give 0.5 to 60")


@dataclass(frozen=True)
class Segment:
    """What becomes of a document; times are in seconds from the beginning of the recording."""

    start: float
    end: float
    sound: Floats


class DescribeSegments:
    """Makes of each row, whose ``data`` names a recording, one row a segment."""

    def __init__(self, config: SegmentConfig, progress_actor: Any = None) -> None:
        self._seconds = config.seconds

    def __call__(self, batch: pd.DataFrame) -> pd.DataFrame:
        """Repeat every row for its segments."""
        segments = [list(cut(samples, self._seconds)) for samples in _read(batch["data"].tolist())]
        rows = batch.assign(segment=segments).explode("segment", ignore_index=True)
        return rows.drop(columns="segment").assign(
            start=[segment.start for segment in rows["segment"]],
            end=[segment.end for segment in rows["segment"]],
            sound=[segment.sound for segment in rows["segment"]],
        )


def cut(samples: Floats, seconds: float) -> Iterator[Segment]:
    """Cut a recording into segments that overlap by half; the last ends with it."""
    length = round(seconds * RATE)
    last = max(len(samples) - length, 0)
    for start in [*range(0, last, length // 2), last]:
        stretch = samples[start : start + length]
        yield Segment(start / RATE, (start + len(stretch)) / RATE, sound.describe(stretch))


def _read(addresses: Sequence[str]) -> list[Floats]:
    decoded = parallel_io(addresses, recording.read)
    # What is missing is tried again here, where it may raise: its dead letter then says why.
    return [
        decoded[index] if index in decoded else recording.read(address)
        for index, address in enumerate(addresses)
    ]
