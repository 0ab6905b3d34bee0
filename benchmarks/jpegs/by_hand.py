"""The same job as an expert writes it on Ray Data: Arrow batches, two actors, one LanceDB commit.

Run as a script: SOURCE STORE; prints when the first row was there, and when it was done.
"""

import json
import sys
import time
from pathlib import Path

STARTED = time.monotonic()


def main(source: Path, store: Path) -> None:
    """Decode every photo that a JSON lines file names into a row of a LanceDB table."""
    import lancedb
    import pyarrow as pa
    import pyarrow.json
    import ray
    import ray.data

    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        object_store_memory=1 << 30,
    )
    ray.data.DataContext.get_current().enable_progress_bars = False
    table = pyarrow.json.read_json(source)
    size = max(256, min(4096, table.num_rows // 32))
    blocks = [table.slice(start, size) for start in range(0, table.num_rows, size)]
    dataset = ray.data.from_arrow(blocks).map_batches(
        Decode, batch_format="pyarrow", batch_size=64, compute=ray.data.ActorPoolStrategy(size=2), num_cpus=1
    )
    first = 0.0

    def batches():
        nonlocal first
        for batch in dataset.iter_batches(batch_size=None, batch_format="pyarrow"):
            first = first or time.monotonic()
            yield from batch.to_batches()

    schema = pa.schema([*table.schema, pa.field("thumbnail", pa.list_(pa.float32(), 192))])
    reader = pa.RecordBatchReader.from_batches(schema, batches())
    rows = lancedb.connect(store).create_table("vectors", reader).count_rows()
    ray.shutdown()
    done = time.monotonic()
    print(json.dumps({"first": first - STARTED, "total": done - STARTED, "rows": rows}), flush=True)


class Decode:
    """Photos to vectors."""

    def __init__(self):
        sys.path.insert(0, str(Path(__file__).parent / "extractor"))
        import thumbnail

        self._thumbnail = thumbnail

    def __call__(self, batch):
        import numpy as np
        import pyarrow as pa

        vectors = np.stack([self._thumbnail.of(path) for path in batch.column("image_url").to_pylist()])
        return batch.append_column(
            "thumbnail", pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), 192)
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
