"""The model that both sides run: hashed words and six small layers, about 1 ms of one processor a text."""

import zlib

import numpy as np

DIMENSIONS = 384
_BUCKETS = 4096
_WORDS = 60
_LAYERS = 6


class Model:
    """Random weights from a fixed seed: speed does not need trained ones."""

    def __init__(self):
        random = np.random.default_rng(7)
        self._table = random.standard_normal((_BUCKETS, DIMENSIONS), np.float32)
        self._layers = [
            random.standard_normal((DIMENSIONS, DIMENSIONS), np.float32) / 20 for _ in range(_LAYERS)
        ]

    def encode(self, texts):
        """Embed texts, shape (len(texts), 384)."""
        hidden = np.stack([self._table[self._buckets(text)] for text in texts])
        for layer in self._layers:
            hidden = np.tanh(hidden @ layer)
        return hidden.mean(axis=1)

    def _buckets(self, text):
        words = (text.split() * _WORDS)[:_WORDS]
        return [zlib.crc32(word.encode()) % _BUCKETS for word in words]
