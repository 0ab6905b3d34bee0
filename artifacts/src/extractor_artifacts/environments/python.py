"""The Python that an environment is made for, and what it has already."""

import functools
import importlib.metadata
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from extractor_apis import naming


@dataclass(frozen=True)
class Python:
    """An interpreter, which compiles what is installed, and the ABI that names what fits it."""

    executable: Path
    abi: str
    """``cpython-311-x86_64-linux-gnu``: wheels and bytecode of one do not fit another."""
    platform: str | None = None
    """uv's name of an older platform to find wheels for (``x86_64-manylinux_2_28``); None is this one."""

    @classmethod
    def running(cls) -> Self:
        """Describe the interpreter of this process."""
        name = sysconfig.get_config_var("SOABI") or f"{sys.implementation.cache_tag}-{sys.platform}"
        return cls(Path(sys.executable), name)


@dataclass(frozen=True, order=True)
class Installed:
    """A distribution that the runtime has."""

    name: str
    """Spelt as registries compare it."""
    version: str
    extras: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    """What its extras ask for. The rest is there, or the runtime does without."""


@functools.cache
def installed() -> tuple[Installed, ...]:
    """List what this process can import, as constraints for what is added to it."""
    found: dict[str, Installed] = {}
    for each in importlib.metadata.distributions():
        distribution = _describe(each)
        if distribution is not None:
            # The first on the path is the one that is imported.
            found.setdefault(distribution.name, distribution)
    return tuple(sorted(found.values()))


def image_digest(constraints: Iterable[Installed]) -> str:
    """Name what has no image, such as a virtual environment, by what is installed in it."""
    parts = [part for each in sorted(constraints) for part in (each.name, each.version)]
    return f"installed:{naming.stable_hash(*parts)}"


def _describe(distribution: importlib.metadata.Distribution) -> Installed | None:
    # Python's own reader of metadata takes 3 ms for each, which is half a second for all.
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    head = [line.partition(": ") for line in text.partition("\n\n")[0].splitlines()]
    names, versions, extras, requires = (
        [value.strip() for key, _, value in head if key == wanted]
        for wanted in ("Name", "Version", "Provides-Extra", "Requires-Dist")
    )
    try:
        # One without either was half removed.
        known = Version(versions[0])
    except (IndexError, InvalidVersion):
        return None
    of_extras = sorted(each for each in requires if "extra" in each.partition(";")[2] and "@" not in each)
    return Installed(canonicalize_name(names[0]), str(known), tuple(sorted(extras)), tuple(of_extras))
