"""Statistics and fingerprints of a batch of texts, as Arrow columns."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from . import minhash

_VECTOR = pa.list_(pa.float32(), minhash.BITS)


class FingerprintTexts:
    """Writes ``fingerprint``, ``characters``, ``words`` and ``lines`` of the text in ``data``."""

    # Batches come as Arrow tables: strings are counted where they lie, without a Python object each.
    batch_format = "pyarrow"

    def __init__(self, config: Any = None, progress_actor: Any = None) -> None:
        pass

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Add the columns; a text without words has no fingerprint, which is an error of its row alone."""
        texts = batch.column("data")
        fingerprints = [minhash.fingerprint(text or "") for text in texts.to_pylist()]
        columns = {
            "fingerprint": pa.array(fingerprints, _VECTOR),
            "characters": pc.utf8_length(texts),
            "words": pc.count_substring_regex(texts, r"\S+"),
            "lines": pc.add(pc.count_substring(texts, "\n"), 1),
        }
        for name, column in columns.items():
            batch = batch.append_column(name, column)
        return batch
