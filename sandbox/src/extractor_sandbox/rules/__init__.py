"""The policy: every rule by its id. Readers enforce some of them while they read; the rest are functions."""

from typing import Any

from extractor_sandbox.finding import Rule
from extractor_sandbox.rules import archive, batch, code, files, manifest, secrets, weights

RULESET = "2026.2"
"""Version of the rules that judge: moves whenever an archive may get another verdict."""

SCAN = Rule[None](
    "X01",
    "A scan that crashes, is killed or takes too long has judged nothing, so nothing is accepted.",
    "Scan again; if it fails again, make the file that it stopped at smaller or simpler.",
)
COUNT = Rule[None](
    "X02", "A scan stops after so many findings that nobody reads on.", "Correct these, and scan again."
)

_ALL = (
    *archive.READING,
    *archive.MEMBERS,
    *files.RULES,
    *manifest.RULES,
    *secrets.RULES,
    *weights.RULES,
    *code.RULES,
    *code.ARCHIVE_RULES,
    code.COMMENTS,
    *batch.RULES,
    SCAN,
    COUNT,
)
# Where several functions enforce a rule, the first one explains it.
RULES: dict[str, Rule[Any]] = {each.id: each for each in sorted(reversed(_ALL), key=lambda each: each.id)}
