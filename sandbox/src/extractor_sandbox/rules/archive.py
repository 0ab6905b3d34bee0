"""Z: the archive itself."""

import contextlib
import stat
from collections.abc import Iterator, Sequence

from extractor_sandbox import limits, names, zip_reader
from extractor_sandbox.finding import Problem, Refused, Rule, rule, shown
from extractor_sandbox.member import Member
from extractor_sandbox.tree import Tree

_PACK_AGAIN = "Give `extractor` the folder itself: it packs it as it should be."
_NESTED = (".npz", ".pt", ".bin", ".ckpt")

READING = (
    Rule[None](
        "Z01",
        "The file is one zip or one tar.gz from its first byte to its last. What comes before, behind or "
        "between is seen by some readers and not by others.",
        _PACK_AGAIN,
    ),
    Rule[None](
        "Z02",
        "Whatever an archive says twice, it says the same: a zip's directory and its members' own headers "
        "have equal names, methods, sizes and sums, and members neither overlap nor leave gaps.",
        _PACK_AGAIN,
    ),
    Rule[None]("Z04", "Members are stored or deflated.", _PACK_AGAIN),
    Rule[None]("Z05", "Members are not encrypted, patched or streamed without compression.", _PACK_AGAIN),
    Rule[None](
        "Z06", "There are no Zip64 records: an archive of at most 500 MiB never needs them.", _PACK_AGAIN
    ),
    Rule[None](
        "Z08", "Content unpacks to exactly the size and the checksum that the archive declares.", _PACK_AGAIN
    ),
)


@rule("Z03", "Rename one of them.")
def names_differ(members: Sequence[Member]) -> Iterator[Problem]:
    """No two paths differ only in case or Unicode spelling: on some disks one would replace the other."""
    spellings: dict[str, str] = {}
    seen = set()
    for member in members:
        if (member.path, member.is_directory) in seen:
            yield Problem("the archive has this path twice", shown(member.path))
        seen.add((member.path, member.is_directory))
        for path in _lineage(member.path):
            known = spellings.setdefault(names.fold(path), path)
            if known != path:
                yield Problem(
                    f"the path differs from {shown(known)} only in case or Unicode spelling", shown(path)
                )


@rule("Z07", "Replace links by what they point to, and clear special permission bits.")
def members_are_plain(members: Sequence[Member]) -> Iterator[Problem]:
    """Members are regular files and directories: no links, devices or sockets, no special permissions."""
    for member in members:
        mode = member.mode or 0
        expected = stat.S_IFDIR if member.is_directory else stat.S_IFREG
        if stat.S_IFMT(mode) not in (0, expected):
            yield Problem("the member is a link or another special file", shown(member.path))
        elif mode & 0o7000:
            yield Problem("the member has a setuid, setgid or sticky bit", shown(member.path))


@rule("Z09", "Rename the file: letters, digits, `_`, `-` and `.`, with `/` between folders.")
def names_are_clean(members: Sequence[Member]) -> Iterator[Problem]:
    """Paths are relative, in one spelling, and stay inside the archive's root."""
    for member in members:
        fault = names.find_fault(member.path)
        if fault:
            yield Problem(fault, shown(member.path))


@rule("Z10", "Rename the file or the folder.")
def paths_are_files_or_folders(members: Sequence[Member]) -> Iterator[Problem]:
    """No path is both a file and a directory."""
    files = {names.fold(member.path) for member in members if not member.is_directory}
    for member in members:
        ancestors = _lineage(member.path)
        for path in ancestors if member.is_directory else ancestors[:-1]:
            if names.fold(path) in files:
                yield Problem("the path is a file and a directory", shown(path))


@rule(
    "Z11", "Leave out what the extractor does not need at run time, or load large weights from a model hub."
)
def sizes_are_bounded(members: Sequence[Member]) -> Iterator[Problem]:
    """An archive is at most 500 MiB, packed as well as unpacked, and has at most 1,000 files; archives within
    it (.npz, .pt) count with what they unpack to. A member over 10 MiB is compressed at most 100 to 1."""
    if len(members) > limits.ENTRIES:
        yield Problem(f"the archive has {len(members)} entries; the limit is {limits.ENTRIES}")
    files = sum(not member.is_directory for member in members)
    if files > limits.FILES:
        yield Problem(f"the archive has {files} files; the limit is {limits.FILES}")
    size = sum(member.size for member in members)
    if size > limits.UNPACKED_BYTES:
        yield Problem(f"the archive unpacks to {size} bytes; the limit is {limits.UNPACKED_BYTES}")


@rule("Z11", sizes_are_bounded.advice)
def nested_sizes_are_bounded(tree: Tree) -> Iterator[Problem]:
    """Archives within the archive count with what they unpack to, if that is more than they are."""
    size = sum(content.size for content in tree.files.values())
    for path, content in tree.files.items():
        if path.endswith(_NESTED) and content.at(0, 4) in zip_reader.MAGIC:
            # One that cannot be read is refused by the rule for its type.
            with contextlib.suppress(Refused):
                unpacked = sum(member.size for member in zip_reader.read(content, nested=True))
                size += max(0, unpacked - content.size)
    if size > limits.UNPACKED_BYTES:
        yield Problem(
            f"with the archives within it, the archive unpacks to {size} bytes; "
            f"the limit is {limits.UNPACKED_BYTES}"
        )


def _lineage(path: str) -> list[str]:
    """List a path and all folders above it, the topmost first."""
    segments = path.split("/")
    return ["/".join(segments[:depth]) for depth in range(1, len(segments) + 1)]


MEMBERS = (names_are_clean, names_differ, members_are_plain, paths_are_files_or_folders, sizes_are_bounded)
"""Judged before anything is unpacked."""
