"""The policy: every rule by its id. Readers enforce some of them while they read; the rest are functions."""

from typing import Any

from extractor_sandbox.finding import Rule
from extractor_sandbox.rules import archive, batch, code, files, manifest, opinions, secrets, weights

RULESET = "2026.3"
"""Version of the rules that judge: moves whenever an archive may get another verdict."""

SCAN = Rule[None](
    "X01",
    "A scan that crashes, is killed or takes too long has judged nothing, so nothing is accepted.",
    "Scan again; if it fails again, make the file that it stopped at smaller or simpler.",
)
COUNT = Rule[None](
    "X02", "A scan stops after so many findings that nobody reads on.", "Correct these, and scan again."
)
PYTHON = Rule[None](
    "X04",
    "Code is parsed by the Python that scans it, and another version knows another syntax: the platform "
    "scans again with its own, and may refuse what was accepted, or accept what was refused.",
    "Scan with the platform's Python.",
)
CONFINED = Rule[None](
    "X03",
    "A scan gives up files, network and other processes before it reads an archive. Where the machine cannot "
    "hold it to all of that, less stands between the archive and what else is there.",
    "Scan on Linux 5.13 or later with Landlock, as current distributions have it.",
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
    *opinions.RULES,
    SCAN,
    COUNT,
    CONFINED,
    PYTHON,
)
# Where several functions enforce a rule, the first one explains it.
RULES: dict[str, Rule[Any]] = {each.id: each for each in sorted(reversed(_ALL), key=lambda each: each.id)}
