"""Text out of a hostile archive, made harmless for a terminal and for the logs of a build."""

import re

# What CI systems would obey: GitHub reads `::command` at the start of a line and `##[command` anywhere, Azure
# `##vso[command`.
_COMMANDS = re.compile(r"^(?=\s*::)|(?<=#)(?=#(?:\[|vso\[))")


def printable(text: str) -> str:
    """Spell out what cannot be seen (controls, escapes, reversed direction), and break up commands."""
    return _COMMANDS.sub(r"\\", "".join(map(_spell, text)))


def _spell(character: str) -> str:
    if character == "\t":
        return " "
    return character if character.isprintable() else ascii(character)[1:-1]
