"""The files of an extractor, as they are going to run: written to the canonical archive, and read from there.

Every rule after the archive's own judges these bytes, not those that came in.
"""

import keyword
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO

from extractor_sandbox import canonical, imports
from extractor_sandbox.extent import Extent
from extractor_sandbox.member import Member


@dataclass(frozen=True)
class Tree:
    """Files by path, relative to the extractor's root."""

    files: dict[str, Extent]
    folder: str | None
    """The folder that all of it was wrapped in."""
    folders: tuple[str, ...] = ()
    """Folders that the archive lists; they are judged by their names, and nothing of them is packed."""

    @property
    def top_folder(self) -> str | None:
        """The folder, where the author may import through its name."""
        name = self.folder or ""
        taken = keyword.iskeyword(name) or name in imports.RESERVED
        return name if name.isidentifier() and not taken else None

    @cached_property
    def modules(self) -> frozenset[str]:
        """Dotted names of all modules and packages; the root is the empty name."""
        found = {""}
        for path in self.files:
            if path.endswith(".py"):
                *folders, name = path.removesuffix(".py").split("/")
                found.update(".".join(folders[:depth]) for depth in range(1, len(folders) + 1))
                found.add(".".join([*folders, name] if name != "__init__" else folders))
        return frozenset(found)


def plant(members: Sequence[Member], into: BinaryIO, reader: int | None = None) -> Tree:
    """Write the files to the canonical archive, without a folder around all of them.

    They are read from ``reader``, another descriptor of the same file, or from the same one.
    """
    sources = {member.path: member for member in members if not member.is_directory}
    folder = _find_folder(members)
    prefix = f"{folder}/" if folder else ""
    writer = canonical.Writer(into, reader)
    files = {
        path.removeprefix(prefix): writer.add(path.removeprefix(prefix), sources[path].pieces())
        for path in sorted(sources)
    }
    writer.close()
    folders = (member.path for member in members if member.is_directory and member.path != folder)
    return Tree(files, folder, tuple(path.removeprefix(prefix) for path in folders))


def _find_folder(members: Sequence[Member]) -> str | None:
    """Find the one folder around everything. Whatever lies beside it means that there is none."""
    tops = {member.path.partition("/")[0] for member in members}
    is_wrapped = all(member.is_directory or "/" in member.path for member in members)
    return tops.pop() if len(tops) == 1 and is_wrapped else None
