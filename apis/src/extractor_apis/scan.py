"""What a scan says of an archive: findings, a verdict, and what was accepted.

The sandbox writes it, everyone else reads it; a report is the only thing that leaves the scanner's process.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, field_serializer

from extractor_apis.manifest import Manifest
from extractor_apis.meta import CamelStruct, Struct


class Severity(StrEnum):
    """How much a finding weighs: one ``reject`` rejects the archive."""

    REJECT = "reject"
    WARN = "warn"
    INFO = "info"


class Verdict(StrEnum):
    """Whether the archive may run."""

    ACCEPT = "accept"
    REJECT = "reject"


class Excerpt(Struct):
    """A source line, or the part of a long one that matters; secrets are blanked out."""

    text: str = Field(max_length=200)
    column: int = Field(ge=1)
    """Column of its first character in the line, from 1."""


class Finding(Struct):
    """One violation of one rule at one place."""

    rule: str
    """Identifier of the rule, stable across releases: ``C03``."""
    severity: Severity
    message: str
    """What is wrong, one sentence."""
    path: str | None = None
    """Member of the archive, relative to its root."""
    line: int | None = None
    """Line in that file, from 1."""
    column: int | None = None
    """Column in that line, in characters, from 1."""
    advice: str | None = None
    """What to do instead, one sentence."""
    excerpt: Excerpt | None = None
    """The line itself, where there is one that may be shown."""
    excused: bool = False
    """A warning under this namespace's policy, a rejection where scans are strict."""


class Strictness(StrEnum):
    """Whether findings about code reject, or only warn."""

    STRICT = "strict"
    ADVISORY = "advisory"
    """For code of one's own. Archive, file, manifest, weight and secret rules reject all the same."""


class Opinion(StrEnum):
    """Someone else who may be asked about an archive that the rules accept."""

    BANDIT = "bandit"
    """About its code."""
    DETECT_SECRETS = "detect-secrets"
    """About secrets in its code and text."""
    ADVISORIES = "advisories"
    """About what it depends on: the advisories that the operator has."""


class ScanPolicy(CamelStruct):
    """What the operator decides about the scan of a namespace's archives; no tenant can write it."""

    strictness: Strictness = Strictness.STRICT
    """Whether findings about code reject (``strict``) or only warn (``advisory``)."""
    allowed_dependencies: Annotated[
        frozenset[Annotated[str, Field(min_length=1, max_length=128)]], Field(max_length=1_000)
    ] = frozenset()
    """Distributions that the code may import when its manifest names them; ``*`` allows all."""
    require_landlock: bool = False
    """Refuse to scan on a kernel without Landlock instead of warning of it."""
    opinions: frozenset[Opinion] = frozenset()
    """Second opinions to ask for: what they say only warns, but one that comes to no end rejects."""

    @field_serializer("allowed_dependencies", "opinions", when_used="json")
    def _in_order(self, names: frozenset[str]) -> list[str]:
        # Whoever compares two policies compares their JSON, and a set has another order in each process.
        return sorted(names)


class ScanReport(Struct):
    """The outcome of one scan."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    source_digest: str
    """``sha256:…`` of the uploaded bytes."""
    artifact_digest: str | None = None
    """``sha256:…`` of the canonical archive made of the accepted members; the only thing that ever runs."""
    top_folder: str | None = None
    """Folder that the uploaded archive wrapped its files in; the author may import through its name."""
    manifest: Manifest | None = None
    """The manifest, read and normalised; None if it could not be read."""
    files: int = 0
    """Regular files in the archive."""
    size: int = 0
    """Bytes of all files, unpacked."""
    python: str
    """Python that parsed the code, for example ``3.11``."""
    ruleset: str
    """Version of the rules that judged."""
    strictness: Strictness = Strictness.STRICT
    """How findings about code were weighed."""
    confinement: tuple[str, ...] = ()
    """What held the process that read the archive: ``landlock 7``, ``seccomp``, ``rlimits``."""
    seconds: float = Field(default=0.0, ge=0)
    """Wall time of the scan."""

    @property
    def accepted(self) -> bool:
        """Tell whether the archive may run."""
        return self.verdict is Verdict.ACCEPT
