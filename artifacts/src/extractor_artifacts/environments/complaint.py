"""What uv complained of, as an error of ours: what is wrong, with what, and what to do.

Messages of the resolver are sentences, and are passed on. URLs are cut to what may be shown.
"""

import re

from extractor_artifacts import urls
from extractor_artifacts.environments import runtime_index
from extractor_artifacts.environments.errors import DependencyConflict, EnvironmentFailed
from extractor_artifacts.errors import ArtifactError

_SENTENCE = 600
_WORDS = {
    "you require": "manifest.py requires",
    "we can conclude that ": "",
    "your requirements are unsatisfiable": "nothing fits",
}
_URL = re.compile(r"\w+://[^\s`)>]+")
_RUNTIMES = re.compile(rf"(\+[a-z0-9.]+?)?[.+]{runtime_index.LOCAL_PART}\b")
_SOURCE_ONLY = re.compile(r"Wheels are required for `([^`]+)`")
_OTHER_PLATFORM = re.compile(r"hint: (You require .*|Wheels are available for .*)")
_UNTRUSTED = re.compile(r"(lack of valid authentication|403 Forbidden|401 Unauthorized)")
_MISMATCH = re.compile(r"Hash mismatch for `([^`]+)`")
_BY_URL = re.compile(r"Package `([^`]+)` was included as a URL dependency")


def read(text: str) -> ArtifactError:
    """Make an error of what uv wrote to its stderr."""
    text = _URL.sub(lambda match: urls.redact(match[0]), text)
    if _UNTRUSTED.search(text):
        return EnvironmentFailed(
            "the package index refuses the operator's credentials, or asks for some: check `packages` in the "
            f"operator's settings ({_first_cause(text)})"
        )
    if found := _SOURCE_ONLY.search(text):
        return DependencyConflict(
            f"`{found[1]}` has no wheel that fits, only its source, and to build that would run its code: "
            f"depend on a version with a wheel, or have one built ({_sentence(text)})"
        )
    if found := _MISMATCH.search(text):
        return DependencyConflict(
            f"the index has another file for {found[1]} than when it was locked: somebody replaced it; "
            "depend on another version, and tell who runs the index"
        )
    if found := _BY_URL.search(text):
        return DependencyConflict(
            f"a dependency asks for `{found[1]}` by URL, and packages come from the index only: "
            "depend on a version that does not"
        )
    if "No solution found" in text:
        hint = _OTHER_PLATFORM.search(text)
        more = f" ({_plain(hint[1])})" if hint else ""
        return DependencyConflict(f"{_sentence(text)}{more}: change the dependencies in manifest.py")
    return EnvironmentFailed(f"{_first_cause(text)}: check that the package index answers, and try again")


def _sentence(text: str) -> str:
    """Give the resolver's explanation, as one line."""
    said = text.partition("cause: ")[2].partition("\n\n")[0] or _first_cause(text)
    return _plain(said).removesuffix(".")


def _first_cause(text: str) -> str:
    """Give uv's first line, and the last cause, which is the first one in time."""
    said = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
    causes = [line.removeprefix("cause: ") for line in said if line.startswith("cause: ")]
    parts = [*errors[:1], *causes[-1:]] or said[:1] or ["uv failed and said nothing"]
    return _plain(": ".join(parts))


def _plain(text: str) -> str:
    """Make one line of it, in the author's words and without end."""
    line = _RUNTIMES.sub(r"\1 (the runtime's)", " ".join(text.split()))
    for said, plain in _WORDS.items():
        line = line.replace(said, plain)
    # What packages are called is up to whoever publishes them.
    line = "".join(each if each.isprintable() else "?" for each in line)
    return line if len(line) <= _SENTENCE else f"{line[: _SENTENCE - 2]} …"
