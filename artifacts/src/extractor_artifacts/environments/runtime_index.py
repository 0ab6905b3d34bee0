"""What the runtime has, as an index that uv resolves with.

Each distribution is an empty wheel of the runtime's version with ``+runtime`` after it, and a constraint for
just that: whatever asks for it gets the runtime's or is in conflict with it, no index is asked for builds
that it may not have (a torch for processors only), and what the runtime has is left out of what is installed.
"""

import zipfile
from collections.abc import Iterable
from pathlib import Path

from packaging.version import Version

from extractor_apis import naming
from extractor_artifacts.environments.python import Installed

CONSTRAINTS = "constraints.txt"
"""Name of the file of constraints, beside the wheels."""
LOCAL_PART = "runtime"


def digest(constraints: Iterable[Installed]) -> str:
    """Name a runtime's distributions."""
    parts = [
        part
        for each in sorted(constraints)
        for part in (each.name, each.version, *each.extras, "", *each.requires)
    ]
    return naming.stable_hash(*parts)


def write(constraints: Iterable[Installed], folder: Path) -> None:
    """Write the index into a folder."""
    pins = [_write_wheel(each, folder) for each in constraints]
    (folder / CONSTRAINTS).write_text("".join(f"{pin}\n" for pin in pins))


def version(text: str) -> str:
    """Mark a version as the runtime's."""
    known = Version(text)
    local = f"{known.local}.{LOCAL_PART}" if known.local else LOCAL_PART
    return f"{known.public}+{local}"


def _write_wheel(distribution: Installed, folder: Path) -> str:
    marked = version(distribution.version)
    stem = f"{distribution.name.replace('-', '_')}-{marked}"
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: {distribution.name}",
        f"Version: {marked}",
        *(f"Provides-Extra: {extra}" for extra in distribution.extras),
        *(f"Requires-Dist: {requirement}" for requirement in distribution.requires),
    ]
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{stem}.dist-info/METADATA", "\n".join(metadata) + "\n")
        wheel.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{stem}.dist-info/RECORD", "")
    return f"{distribution.name}=={marked}"
