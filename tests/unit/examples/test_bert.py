"""The transformer in NumPy, on made-up weights."""

import math

import numpy as np
import pytest

from support import text_passages

bert = text_passages.module("processors.bert")

WIDTH, WIDE, WORDS = 8, 16, 11


def test_gelu_is_the_exact_one_to_the_precision_of_float32() -> None:
    x = np.linspace(-30, 30, 20_001, dtype=np.float32).reshape(-1, 3)
    want = [value * 0.5 * (1 + math.erf(value / math.sqrt(2))) for value in x.ravel().tolist()]

    bert.gelu(x)

    np.testing.assert_allclose(x.ravel(), want, rtol=1e-6, atol=2e-7)


def test_text_is_encoded_the_same_in_any_company() -> None:
    encode = bert.Bert(random_weights(layers=2), layers=2, heads=2, epsilon=1e-12)
    texts = [np.array(ids) for ids in ([1, 2, 3], [4], [5, 6, 7, 8, 9])]

    together = encode(np.concatenate(texts), np.cumsum([len(text) for text in texts]))

    alone = [encode(text, np.array([len(text)])) for text in texts]
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-6)


@pytest.mark.parametrize("layers", [1, 3])
def test_place_of_a_word_matters(layers: int) -> None:
    encode = bert.Bert(random_weights(layers=layers), layers=layers, heads=2, epsilon=1e-12)

    there, back = (encode(np.array(ids), np.array([2])) for ids in ([1, 2], [2, 1]))

    assert np.abs(there - back[::-1]).max() > 1e-3


def random_weights(*, layers: int) -> dict[str, np.ndarray]:
    """Make the weights of a model too small to know anything, by the names that real ones have."""
    random = np.random.default_rng(0)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (WORDS, WIDTH),
        "embeddings.position_embeddings.weight": (WORDS, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "embeddings.LayerNorm.weight": (WIDTH,),
        "embeddings.LayerNorm.bias": (WIDTH,),
    }
    for layer in range(layers):
        for part, rows, columns in (
            ("attention.self.query", WIDTH, WIDTH),
            ("attention.self.key", WIDTH, WIDTH),
            ("attention.self.value", WIDTH, WIDTH),
            ("attention.output.dense", WIDTH, WIDTH),
            ("intermediate.dense", WIDE, WIDTH),
            ("output.dense", WIDTH, WIDE),
        ):
            shapes[f"encoder.layer.{layer}.{part}.weight"] = (rows, columns)
            shapes[f"encoder.layer.{layer}.{part}.bias"] = (rows,)
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"encoder.layer.{layer}.{part}.weight"] = (WIDTH,)
            shapes[f"encoder.layer.{layer}.{part}.bias"] = (WIDTH,)
    return {name: random.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()}
