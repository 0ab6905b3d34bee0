"""Requirements of a tenant's manifest, as lines that a requirements file may hold.

uv expands ``${VARIABLES}`` in such a file, and reads lines of it as options, paths and URLs. So nothing of
the text is passed on: each requirement is parsed, and written anew.
"""

from collections.abc import Collection, Iterable

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from extractor_artifacts.environments.errors import DependencyConflict

_SHOWN = 80


def lines(requirements: Iterable[str]) -> tuple[str, ...]:
    """Spell requirements one way, each once and in order. Raises DependencyConflict for what is none."""
    return tuple(sorted({_line(each) for each in requirements}))


def allowed(requirements: Iterable[str], names: Collection[str]) -> tuple[str, ...]:
    """Keep those of the distributions that an operator allows; ``*`` allows all.

    The scan keeps the modules of the others closed. Raises DependencyConflict for what is no requirement.
    """
    known = {canonicalize_name(name) for name in names}
    return tuple(
        line
        for line in lines(requirements)
        if "*" in names or canonicalize_name(Requirement(line).name) in known
    )


def _line(text: str) -> str:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        raise _refused(text, "is no name with a version range") from None
    if requirement.url:
        raise _refused(text, "points to a URL")
    line = str(requirement)
    # A marker's string may be anything.
    if "$" in line or not line.isprintable():
        raise _refused(text, "has a character that no requirement needs")
    return line


def _refused(text: str, fault: str) -> DependencyConflict:
    return DependencyConflict(f"the dependency {ascii(text)[:_SHOWN]} {fault}: write it as `name>=1.0,<2`")
