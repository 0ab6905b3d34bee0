"""One pull as the operator makes it: `python -m benchmarks.pull.ours REFERENCE FOLDER`."""

import ipaddress
import json
import sys
import time
from pathlib import Path

from extractor_apis.extractorversion import OCISource
from extractor_artifacts.blobs import BlobStore
from extractor_artifacts.patience import Patience
from extractor_artifacts.sources import Access, AddressPolicy, Credentials, fetch_source


def main(reference: str, folder: Path) -> None:
    """Have the archive in the folder, and print what it took.

    What an earlier pull left there is not fetched again.
    """
    here = AddressPolicy((ipaddress.ip_network("127.0.0.0/8"),))
    access = Access(here, Credentials(), Patience(), 1 << 30, BlobStore(folder / "blobs"))
    pinned = folder / "pinned"
    started, worked = time.monotonic(), time.process_time()
    fetched = fetch_source(
        OCISource(reference=reference),
        folder / "archive.zip",
        access=access,
        pinned=pinned.read_text() if pinned.exists() else None,
    )
    print(json.dumps({"seconds": time.monotonic() - started, "cpu": time.process_time() - worked}))
    pinned.write_text(fetched.resolved)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
