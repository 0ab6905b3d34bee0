"""The policy: every rule by its id. Readers enforce some of them while they read; the rest are functions."""

from typing import Any

from extractor_sandbox.finding import Rule
from extractor_sandbox.rules import archive, code, files, manifest

RULESET = "2026.1"
"""Version of the rules that judge: moves whenever an archive may get another verdict."""

SCAN = Rule[None](
    "X01",
    "A scan that crashes, is killed or takes too long has judged nothing, so nothing is accepted.",
    "Scan again; if it fails again, make the file that it stopped at smaller or simpler.",
)
COUNT = Rule[None](
    "X02", "A scan stops after so many findings that nobody reads on.", "Correct these, and scan again."
)

_ALL = (*archive.READING, *archive.MEMBERS, *files.RULES, *manifest.RULES, *code.RULES, SCAN, COUNT)
# Two functions enforce Z11; the first one explains it.
RULES: dict[str, Rule[Any]] = {each.id: each for each in sorted(reversed(_ALL), key=lambda each: each.id)}
