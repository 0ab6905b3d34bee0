"""Embed passages, a batch at a time."""

from typing import Any

import pandas as pd

from . import minilm


class EmbedPassages:
    """Writes the vector of ``text`` into the column ``passage_embedding``."""

    def __init__(self, config: Any = None, progress_actor: Any = None) -> None:
        self._model = minilm.load()

    def __call__(self, batch: pd.DataFrame) -> pd.DataFrame:
        """Add the column; each value is a float32 vector of unit length."""
        return batch.assign(passage_embedding=list(self._model.encode(batch["text"].tolist())))
