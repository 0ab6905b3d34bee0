"""Describe pictures, a batch at a time."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from shared.plugins.sdk import parallel_io

from . import descriptors, picture
from .picture import Picture


class DescribeImages:
    """Writes ``colour`` and ``structure``, and the attributes, of the image that ``data`` names."""

    def __init__(self, config: Any = None, progress_actor: Any = None) -> None:
        pass

    def __call__(self, batch: pd.DataFrame) -> pd.DataFrame:
        """Add the columns."""
        pictures = _load(batch["data"].tolist())
        return batch.assign(
            colour=[descriptors.colour(each.rgb) for each in pictures],
            structure=[descriptors.structure(each.rgb) for each in pictures],
            colour_name=[descriptors.colour_name(each.rgb) for each in pictures],
            width=[each.width for each in pictures],
            height=[each.height for each in pictures],
        )


def _load(addresses: Sequence[str]) -> list[Picture]:
    loaded = parallel_io(addresses, picture.load)
    # What is missing is tried again here, where it may raise: the platform then finds the row that does, and
    # its dead letter says why.
    return [loaded.get(index) or picture.load(address) for index, address in enumerate(addresses)]
