"""What a trial's process is told, in a file; it holds no secret, only where they are."""

from pathlib import Path

from extractor_apis.manifest import JsonObject, Manifest
from extractor_apis.meta import Struct
from extractor_apis.scan import Finding
from extractor_apis.services import Services


class TrialConfig(Struct):
    """What to try, on what, and how."""

    tree: Path
    """The accepted archive, unpacked."""
    artifact_digest: str
    top_folder: str | None
    environment: Path | None = None
    """Folder of the distributions that it depends on beside what the runtime has."""
    manifest: Manifest
    scan: tuple[Finding, ...]
    """What the scan warned of."""
    files: tuple[Path, ...]
    folder: Path
    """An empty folder for whatever is written."""
    parameters: JsonObject
    services: Services
    seconds: float
    """What the author's code may take to start, and for each batch."""
    cpus: int | None
    min_cosine: float
