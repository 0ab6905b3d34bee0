"""Where the distributions come from that manifests depend on."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from extractor_apis.meta import CamelStruct


class PackageIndex(CamelStruct):
    """An index that the operator trusts; one for all namespaces, so that a name means one thing to all."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s/@?#]+(/[^\s@?#]*)?$", max_length=2048)] | None = None
    """Simple index (``https://host/simple``), without credentials; None takes the public one."""
    credentials: Path | None = None
    """File with ``user:password`` for it."""
    wheels: Path | None = None
    """Folder of wheels: looked at with the index, or instead of it where ``offline``."""
    offline: bool = False
    """Whether no index is asked at all."""
