"""A BERT encoder in NumPy, over texts whose tokens lie end to end in one matrix.

Nothing is padded: everything but attention works on tokens, and attention takes one text at a time. Most time
goes into the matrix products, which BLAS does; the rest works in place, on pieces that fit the cache.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Weights = Mapping[str, Floats]

# Numbers that a second-level cache holds beside their temporaries.
_CACHED = 48 * 1024
# GELU(x) = x·Φ(x) and Φ(x) = 1 / (1 + exp(x·p(x²))). Coefficients of p, highest power first, fitted to 7e-8
# of the exact function, which is float32's own error; an erf takes five times as long.
_GELU = (
    -3.611400123393338e-09,
    2.669003365748934e-07,
    -7.93834144181306e-06,
    0.00011048121911911424,
    6.625695914742295e-05,
    -0.07266856299958503,
    -1.5957684335138458,
)


class Bert:
    """The encoder: token ids in, one vector a token out."""

    def __init__(self, weights: Weights, *, layers: int, heads: int, epsilon: float) -> None:
        self._words = weights["embeddings.word_embeddings.weight"]
        # A text has one segment, so the segment's embedding is part of every position's.
        segment = weights["embeddings.token_type_embeddings.weight"][0]
        self._positions = weights["embeddings.position_embeddings.weight"] + segment
        self._norm = _norm(weights, "embeddings.LayerNorm", epsilon)
        self._layers = [_layer(weights, f"encoder.layer.{index}", heads, epsilon) for index in range(layers)]

    def __call__(self, ids: Integers, ends: Integers) -> Floats:
        """Encode the tokens of several texts; ``ends`` says where each text ends."""
        lengths = np.diff(ends, prepend=0)
        places = np.arange(len(ids)) - np.repeat(ends - lengths, lengths)
        x = self._words[ids]
        x += self._positions[places]
        self._norm(x)
        texts = [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]
        for layer in self._layers:
            layer(x, texts)
        return x


@dataclass(frozen=True)
class _Dense:
    weight: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        y = x @ self.weight
        y += self.bias
        return y


@dataclass(frozen=True)
class _Norm:
    weight: Floats
    bias: Floats
    epsilon: float

    def __call__(self, x: Floats) -> None:
        for rows in _pieces(x):
            rows -= rows.mean(axis=1, keepdims=True)
            variance = np.einsum("ij,ij->i", rows, rows) / rows.shape[1]
            rows *= (1 / np.sqrt(variance + self.epsilon))[:, None]
            rows *= self.weight
            rows += self.bias


@dataclass(frozen=True)
class _Layer:
    heads: int
    project: _Dense
    """Queries (already scaled), keys and values in one product."""
    merge: _Dense
    merge_norm: _Norm
    widen: _Dense
    narrow: _Dense
    narrow_norm: _Norm

    def __call__(self, x: Floats, texts: Sequence[slice]) -> None:
        x += self.merge(self._attend(self.project(x), texts))
        self.merge_norm(x)
        wide = self.widen(x)
        gelu(wide)
        x += self.narrow(wide)
        self.narrow_norm(x)

    def _attend(self, projected: Floats, texts: Sequence[slice]) -> Floats:
        tokens, width = len(projected), projected.shape[1] // 3
        attended = np.empty((tokens, width), np.float32)
        for text in texts:
            split = projected[text].reshape(-1, 3, self.heads, width // self.heads)
            queries, keys, values = split.transpose(1, 2, 0, 3)
            scores = queries @ keys.transpose(0, 2, 1)
            scores -= scores.max(axis=2, keepdims=True)
            np.exp(scores, out=scores)
            mixed = scores @ values
            mixed /= scores.sum(axis=2, keepdims=True)
            attended[text] = mixed.transpose(1, 0, 2).reshape(-1, width)
        return attended


def gelu(x: Floats) -> None:
    """Apply the exact GELU in place."""
    with np.errstate(over="ignore"):  # exp overflows to infinity where the result is 0
        for rows in _pieces(x):
            square = rows * rows
            odds = square * _GELU[0]
            for coefficient in _GELU[1:-1]:
                odds += coefficient
                odds *= square
            odds += _GELU[-1]
            odds *= rows
            np.exp(odds, out=odds)
            odds += 1
            rows /= odds


def _pieces(x: Floats) -> Iterator[Floats]:
    rows = _CACHED // x.shape[1]
    for start in range(0, len(x), rows):
        yield x[start : start + rows]


def _layer(weights: Weights, name: str, heads: int, epsilon: float) -> _Layer:
    query, key, value = (
        _dense(weights, f"{name}.attention.self.{part}") for part in ("query", "key", "value")
    )
    scale = np.float32(1 / math.sqrt(query.weight.shape[1] // heads))
    return _Layer(
        heads=heads,
        project=_Dense(
            np.concatenate([query.weight * scale, key.weight, value.weight], axis=1),
            np.concatenate([query.bias * scale, key.bias, value.bias]),
        ),
        merge=_dense(weights, f"{name}.attention.output.dense"),
        merge_norm=_norm(weights, f"{name}.attention.output.LayerNorm", epsilon),
        widen=_dense(weights, f"{name}.intermediate.dense"),
        narrow=_dense(weights, f"{name}.output.dense"),
        narrow_norm=_norm(weights, f"{name}.output.LayerNorm", epsilon),
    )


def _dense(weights: Weights, name: str) -> _Dense:
    return _Dense(np.ascontiguousarray(weights[f"{name}.weight"].T), weights[f"{name}.bias"])


def _norm(weights: Weights, name: str, epsilon: float) -> _Norm:
    return _Norm(weights[f"{name}.weight"], weights[f"{name}.bias"], epsilon)
