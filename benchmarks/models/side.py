"""One side in a process of its own: ``side once|each MODEL ACTORS`` prints what it took as JSON."""

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks import measure
from extractor_runtime import session
from extractor_runtime.sdk.models import keeper, weights


@dataclass(frozen=True)
class Model:
    """Counts its loads in a file beside it."""

    name: str
    path: Path

    def load(self) -> Any:
        with self.path.with_suffix(".loads").open("a") as log:
            log.write(f"{os.getpid()}\n")
        return weights.read_safetensors(self.path)


class Actor:
    """Loads the model, keeps it, and reads every weight."""

    def load(self, model: Model, shared: bool) -> float:
        self.model = keeper.load(model) if shared else model.load()
        return sum(float(layer.sum()) for layer in self.model.values())

    def ping(self) -> None:
        """Answer, once the process is there."""


def main(side: str, path: str, actors: int) -> None:
    """Print what the side took."""
    model = Model("bench", Path(path))
    loads = model.path.with_suffix(".loads")
    loads.unlink(missing_ok=True)
    with session.local():
        import ray

        asked = [ray.remote(Actor).options(num_cpus=0).remote() for _ in range(actors)]
        ray.get([actor.ping.remote() for actor in asked])
        before = memory()
        began = time.perf_counter()
        sums = set(ray.get([actor.load.remote(model, side == "once") for actor in asked]))
        seconds = time.perf_counter() - began
        assert len(sums) == 1, "all actors read the same weights"
        taken = memory() - before
    print(json.dumps({"loads": len(loads.read_text().split()), "seconds": seconds, "memory": taken}))


def memory() -> int:
    """Sum the bytes of this process and its descendants, pages that are shared counted once."""
    return sum(process.memory_full_info().pss for process in measure.tree(psutil.Process()))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
