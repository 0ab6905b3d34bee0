"""What requirements came to: distributions, each of one version and with the hashes of its files."""

import re
from dataclasses import dataclass

from extractor_apis import naming
from extractor_artifacts.environments.python import Python

KEY_DIGITS = 32

_PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^\s;]+)(\s*;.*?)?\s+(?P<hashes>--hash=.*)")
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})(?:\s+|$)")


@dataclass(frozen=True, order=True)
class Pin:
    """A distribution of one version; one of its files is installed."""

    name: str
    version: str
    hashes: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join((f"{self.name}=={self.version}", *(f"--hash={each}" for each in self.hashes)))


@dataclass(frozen=True)
class Locked:
    """What a version's requirements are in one image, for one Python; what the image has is left out."""

    image_digest: str
    python: Python
    pins: tuple[Pin, ...]

    @property
    def key(self) -> str:
        """Name the environment: the same files for the same interpreter have the same name."""
        named = (self.image_digest, self.python.abi, self.python.platform or "", *map(str, self.pins))
        return naming.stable_hash(*named)[:KEY_DIGITS]


def parse(text: str) -> tuple[Pin, ...]:
    """Read pins as uv writes them. Raises ValueError for a line that is none."""
    joined = re.sub(r"\\\s*\n", " ", text)
    return tuple(_pin(line.strip()) for line in joined.splitlines() if line.strip())


def render(pins: tuple[Pin, ...]) -> str:
    """Write pins, as `parse` and uv read them."""
    return "".join(f"{pin}\n" for pin in pins)


def _pin(line: str) -> Pin:
    match = _PIN.fullmatch(line)
    if match is None or _HASH.sub("", match["hashes"]):
        raise ValueError(f"{line[:100]!r} is no pin with hashes")
    return Pin(match["name"], match["version"], tuple(_HASH.findall(match["hashes"])))
