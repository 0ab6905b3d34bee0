"""all-MiniLM-L6-v2 without torch: the same vectors as the sentence-transformers library gives."""

import functools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from .bert import Bert, Floats, Integers

# Tokens enough for the matrix products to run at their peak, and not more activations than the cache holds.
_PACK_TOKENS = 1024


@functools.cache
def load() -> "MiniLM":
    """Load the weights that came with the archive, once in a process."""
    return MiniLM(Path(__file__).parent.parent / "models")


class MiniLM:
    """A sentence encoder: tokenizer, transformer, mean over the tokens, unit length."""

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        limits = json.loads((folder / "sentence_bert_config.json").read_text())
        self._dimensions = int(config["hidden_size"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(limits["max_seq_length"])
        self._bert = Bert(
            load_file(folder / "model.safetensors"),
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            epsilon=config["layer_norm_eps"],
        )

    def encode(self, texts: Sequence[str]) -> Floats:
        """Embed texts, one row of unit length each; what is longer than the model reads is cut off."""
        ids = [np.array(text.ids) for text in self._tokenizer.encode_batch_fast(list(texts))]
        vectors = np.empty((len(ids), self._dimensions), np.float32)
        for pack in _packs([len(text) for text in ids]):
            vectors[pack] = self._encode_pack(ids[pack])
        return vectors

    def _encode_pack(self, ids: Sequence[Integers]) -> Floats:
        lengths = np.array([len(text) for text in ids])
        ends = np.cumsum(lengths)
        tokens = self._bert(np.concatenate(ids), ends)
        # A sum points where the mean does, and only the direction stays.
        vectors = np.add.reduceat(tokens, ends - lengths)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


def _packs(lengths: Sequence[int]) -> Iterator[slice]:
    """Cut a sequence of texts where a pack has enough tokens."""
    start = tokens = 0
    for index, length in enumerate(lengths):
        if tokens and tokens + length > _PACK_TOKENS:
            yield slice(start, index)
            start, tokens = index, 0
        tokens += length
    if tokens:
        yield slice(start, len(lengths))
