"""A model that counts its loads in a file, and whose first one may go wrong; workers of Ray import it."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

NUMBERS = 1_000_000


@dataclass(frozen=True)
class CountedModel:
    """Implements `sources.Source`."""

    name: str
    log: Path
    first: str = "loads"
    """What the first load does: ``loads``, ``raises``, ``dies`` or ``hangs``."""
    pause: float = 0.5
    """Seconds until it does, in which the others come and wait."""

    def load(self) -> dict[str, Any]:
        with self.log.open("a") as log:
            log.write(f"{os.getpid()}\n")
        if len(self.loads()) == 1 and self.first != "loads":
            time.sleep(self.pause)
            if self.first == "raises":
                raise OSError("no weights")
            if self.first == "dies":
                os._exit(3)
            time.sleep(600)
        return {"weights": np.ones(NUMBERS, np.float32)}

    def loads(self) -> list[str]:
        """List the processes that loaded it."""
        return self.log.read_text().split() if self.log.exists() else []
