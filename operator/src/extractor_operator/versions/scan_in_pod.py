"""`python -m extractor_operator.versions.scan_in_pod`: a scan in a pod of its own.

The source comes by a capability, and so goes what the scan says of it. The process that reads the archive has
neither: no environment, no file but the archive's, and no network.
"""

import asyncio
import functools
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from extractor_apis.meta import Struct
from extractor_apis.scan import ScanPolicy
from extractor_artifacts import ArtifactError, errand
from extractor_artifacts.download import download
from extractor_artifacts.hand_in import hand_in
from extractor_artifacts.login import Fixed
from extractor_artifacts.patience import Patience
from extractor_artifacts.spool import Spool
from extractor_operator.versions.scan import Scanner

_ADVISORIES_BYTES = 1 << 30
_PATIENCE = Patience(total=300.0, attempts=8)


class Order(Struct):
    """What a Job is asked to scan; it holds no secret."""

    url: str
    """Where the endpoint has the version: ``{endpoint}/v1/{namespace}/{uid}``."""
    authority: str | None = None
    """Certificate in PEM of who vouches for the endpoint; None is whom the image trusts."""
    digest: str
    """Of the source."""
    size: int = Field(ge=0)
    """Bytes of that."""
    policy: ScanPolicy
    advisories: str | None = None
    """Digest of the advisories to look into; None where nobody asks for that."""
    seconds: float = 120.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Scan what is ordered; give the exit status."""
    return errand.main(_scan, Order, arguments, program="extractor-scan")


def _scan(order: Order, login: Fixed, work: Path) -> None:
    source, canonical, said = work / "source", work / "canonical.zip", work / "handed-in.json"
    advisories = work / "advisories.zip" if order.advisories else None
    send = functools.partial(hand_in, login=login, patience=_PATIENCE, authority=order.authority)
    _fetch(order, "source", source, login, order.digest, order.size)
    if advisories and order.advisories:
        _fetch(order, "advisories", advisories, login, order.advisories, _ADVISORIES_BYTES)
    scanner = Scanner(asyncio.Semaphore(1), advisories, order.seconds)
    report = asyncio.run(scanner.scan(source, order.policy, into=canonical))
    if report.accepted:
        send(canonical, f"{order.url}/canonical")
    said.write_text(report.model_dump_json())
    # Last, because whoever waits takes it as the end.
    send(said, f"{order.url}/report")


def _fetch(order: Order, name: str, into: Path, login: Fixed, wanted: str, max_bytes: int) -> None:
    url = f"{order.url}/{name}"
    with Spool(into, origin=url, max_bytes=max_bytes) as spool:
        # Its digest is known: nobody on the way can change it.
        download(url, spool, plain_http=True, patience=_PATIENCE, login=login, authority=order.authority)
        if spool.digest != wanted:
            raise ArtifactError(f"digest mismatch for {url}: expected {wanted}, got {spool.digest}")
        spool.commit(lasting=False)


if __name__ == "__main__":
    sys.exit(main())
