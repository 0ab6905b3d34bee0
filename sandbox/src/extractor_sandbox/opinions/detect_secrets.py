"""O02: detect-secrets on code and text.

Its plugins are asked line by line, without its scanner: that opens files by name, asks the network whether a
secret is valid, and is silenced by a comment. What they find never leaves this module.
"""

from collections.abc import Iterator, Mapping

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.filters import heuristic
from detect_secrets.plugins.base import BasePlugin

from extractor_sandbox import limits
from extractor_sandbox.finding import Problem
from extractor_sandbox.opinions.evidence import Evidence, content
from extractor_sandbox.rules.files import is_text

_KINDS: Mapping[str, type[BasePlugin]] = get_mapping_from_secret_type_to_class()
_PLUGINS = tuple(_KINDS[name]() for name in sorted(_KINDS))
_FILE_BYTES = limits.SOURCE_BYTES
_LINE = 4_096
_OVERLAP = 256
"""Longer than a secret, so that none is missed where a long line is cut."""


def problems(evidence: Evidence) -> Iterator[Problem]:
    """Say on which lines something looks like a secret, and which files are too large to look at."""
    for file in evidence.files:
        if is_text(file.path):
            evidence.reading(file.path)
            if file.size > _FILE_BYTES:
                message = f"detect-secrets did not look at it: it is larger than {_FILE_BYTES} bytes"
                yield Problem(message, file.path, severity="warn")
            else:
                yield from _read(file.path, content(file).decode(errors="replace"))


def _read(path: str, text: str) -> Iterator[Problem]:
    for number, line in enumerate(text.split("\n"), 1):
        starts = range(0, max(1, len(line) - _OVERLAP), _LINE - _OVERLAP)
        for kind in sorted({kind for start in starts for kind in _find(path, line[start : start + _LINE])}):
            yield Problem(
                f"detect-secrets takes something for a secret: {kind}", path, number, severity="warn"
            )


def _find(path: str, line: str) -> Iterator[str]:
    """Name the kinds of secrets in a line."""
    for plugin in _PLUGINS:
        for found in plugin.analyze_line(filename=path, line=line):
            if not _is_harmless(found.secret_value or "", line, plugin):
                yield found.type


def _is_harmless(secret: str, line: str, plugin: BasePlugin) -> bool:
    """Tell what detect-secrets itself leaves out: placeholders, ids, what is read from elsewhere."""
    return (
        any(is_harmless(secret) for is_harmless in _HARMLESS)
        or heuristic.is_likely_id_string(secret, line, plugin)
        or heuristic.is_indirect_reference(line)
    )


_HARMLESS = (
    heuristic.is_sequential_string,
    heuristic.is_potential_uuid,
    heuristic.is_templated_secret,
    heuristic.is_prefixed_with_dollar_sign,
    heuristic.is_not_alphanumeric_string,
)
