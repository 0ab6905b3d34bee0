"""All files of an archive together: what their names stand for, across files, and what that breaks.

Where a name goes where nobody can follow it, everything unknown may be it from then on.
"""

import functools
import itertools
from collections.abc import Iterable, Iterator
from functools import cached_property

from extractor_sandbox import loaders, reach
from extractor_sandbox.facts import SUSPECTS, Facts, Use
from extractor_sandbox.finding import Problem
from extractor_sandbox.imports import Imports
from extractor_sandbox.loaders import LoaderCall
from extractor_sandbox.reach import Fault
from extractor_sandbox.scopes import OWN, Link, unmangled

_ANYTHING = "?"
"""Stands for more than is worth keeping."""
_MAX_MEANINGS = 64
# ``m = m.parent`` has no end; no rule looks deeper than this.
_MAX_PARTS = 8
# Modules that are mostly imported from their packages.
_SUBMODULES = {"os.path", "concurrent.futures", "urllib.parse", "urllib.error", "collections.abc"}


class Program:
    """The files of an archive: add all of them, link, and ask."""

    def __init__(self, imports: Imports) -> None:
        self._imports = imports
        self._files: list[tuple[int, Facts]] = []
        """Files, each with the position of its first slot among those of all."""
        self._slots: list[list[tuple[int, Link]]] = []
        """What is bound to names and fields, each with the position from which its file's slots count."""
        self._meanings: list[set[str]] = []
        """The paths that each slot may stand for, as far as they are known."""
        self._fields: dict[str, int] = {}
        self._modules: dict[str, list[dict[str, int]]] = {}
        self._scattered: set[str] = set()
        """What names stand for that stand for too much."""

    def add(self, file: Facts) -> None:
        """Add a file."""
        first = len(self._slots)
        self._files.append((first, file))
        for links in file.slots:
            self._open_slot().extend((first, link) for link in links)
        if file.module is not None:
            names = {name: first + slot for name, slot in file.names.items()}
            self._modules.setdefault(file.module, []).append(names)
        for name, links in file.fields.items():
            if name not in self._fields:
                self._fields[name] = len(self._slots)
                self._open_slot()
            self._slots[self._fields[name]].extend((first, link) for link in links)

    def _open_slot(self) -> list[tuple[int, Link]]:
        self._slots.append([])
        self._meanings.append(set())
        return self._slots[-1]

    @cached_property
    def faults(self) -> list[tuple[Fault, Problem]]:
        """What is wrong with the uses of modules, and where."""
        return [
            (fault, Problem(fault.message, file.path, use.line, use.column, fault.advice))
            for first, file in self._files
            for use in file.uses
            for fault in sorted(self._judge(first, use), key=lambda fault: fault.message)[:1]
        ]

    @cached_property
    def loader_calls(self) -> list[tuple[str, str, LoaderCall, set[str]]]:
        """Calls of loaders: the file's path, the loader's, the call, and what YAML's loader may be."""
        return [
            (file.path, path, call, {each for link in call.loader for each in self._resolve(first, link)})
            for first, file in self._files
            for call in file.calls
            for path in sorted(set(map(reach.shorten, self._resolve(first, call.link))) & loaders.PATHS)
        ]

    def link(self) -> None:
        """Find what every name stands for, once all files are added: repeat until nothing new turns up."""
        waiting = []
        for slot, links in enumerate(self._slots):
            # Most names are imported from outside, and stand for that whatever the others do.
            self._widen(slot, {_bound(link.path) for _, link in links if link.is_fixed})
            others = [each for each in links if not each[1].is_fixed]
            if others:
                waiting.append((slot, others))
        changed = True
        while changed:
            changed = False
            for slot, others in waiting:
                if _ANYTHING not in self._meanings[slot]:
                    changed |= self._widen(
                        slot, {_bound(path) for each in others for path in self._resolve(*each)}
                    )

    def _widen(self, slot: int, paths: set[str]) -> bool:
        """Let a name stand for more; tell whether it had not stood for that before."""
        known = self._meanings[slot]
        meanings = known | paths
        if len(meanings) > _MAX_MEANINGS:
            self._scattered |= meanings - {_ANYTHING}
            meanings = {_ANYTHING}
        self._meanings[slot] = meanings
        return meanings != known

    def _resolve(self, first: int, link: Link) -> set[str]:
        """Give the paths that a link may stand for, as far as they are known by now."""
        paths = {link.name} if link.name else set()
        for slot in link.slots:
            paths |= self._meanings[first + slot]
        for attribute in link.attributes:
            paths = self._read(paths, attribute)
            if not link.is_certain and (field := self._fields.get(unmangled(attribute))) is not None:
                paths |= self._meanings[field]
        return paths

    def _read(self, paths: Iterable[str], attribute: str) -> set[str]:
        """Read an attribute of every path."""
        found: set[str] = set()
        for path in paths:
            if path.startswith(OWN):
                found |= self._read_own(path.removeprefix(OWN), attribute)
            else:
                found.add(path if path == _ANYTHING else f"{path}.{attribute}")
        return found

    def _read_own(self, module: str, attribute: str) -> set[str]:
        child = f"{module}.{attribute}".removeprefix(".")
        found = {OWN + child} if child in self._imports.modules else set()
        for names in self._modules.get(module, ()):
            if (slot := names.get(unmangled(attribute))) is not None:
                found |= self._meanings[slot]
        return found

    def _judge(self, first: int, use: Use) -> Iterator[Fault]:
        """Find what is wrong with a use, whatever of its meanings it has."""
        paths = {path for path in self._resolve(first, use.link) if not path.startswith(OWN)}
        for path in paths - {_ANYTHING}:
            fault = self._find_fault(path)
            if fault and not use.is_changed:
                yield fault
            elif use.is_value and path in reach.NO_VALUES:
                yield Fault("C06", f"passes the module {path} on", "Use its attributes where you need them.")
            elif use.is_value and reach.shorten(path) in reach.ONLY_CALLED:
                yield Fault("C10", f"passes {path} on without calling it", "Use yaml.safe_load.")
        if use.is_changed:
            *attributes, last = use.link.attributes
            for owner in self._resolve(first, use.link._replace(attributes=tuple(attributes))):
                if owner != _ANYTHING and not owner.startswith(OWN):
                    advice = "Assign a constant, or wrap it in a function of your own."
                    yield Fault("C06", f"assigns to {owner}.{last}", advice)
        if not use.link.is_certain:
            yield from self._judge_unknown(use.link.attributes)

    def _judge_unknown(self, attributes: tuple[str, ...]) -> Iterator[Fault]:
        """Judge attributes of something unknown, which may be any module that was passed on."""
        yield from (reach.EVERYWHERE[name] for name in attributes if name in reach.EVERYWHERE)
        read = ".".join(attributes)
        is_suspect = not SUSPECTS.isdisjoint(attributes)
        suspects = [module for module in self._escaped if is_suspect or module.startswith(OWN)]
        for start, module in itertools.product(range(len(attributes)), suspects):
            paths = {module}
            for attribute in attributes[start:]:
                paths = self._read(paths, attribute)
            for path in paths:
                fault = reach.find_fault(path)
                if fault and not fault.is_guess:
                    what = f"reads .{read} of what may be {module.removeprefix(OWN)}, passed on elsewhere"
                    advice = "Import the module where it is used instead of passing it on."
                    yield Fault(fault.rule, what, advice)

    @cached_property
    def _escaped(self) -> list[str]:
        """Modules that went where nobody could follow."""
        imported = {module for _, file in self._files for module in file.modules}
        imported |= {".".join(module.split(".")[:depth]) for module in imported for depth in range(1, 4)}
        imported |= {OWN + module for module in self._modules} | _SUBMODULES
        passed = {
            path for first, file in self._files for link in file.passed for path in self._resolve(first, link)
        }
        return sorted(passed & imported | self._scattered)

    def _find_fault(self, path: str) -> Fault | None:
        return reach.find_fault(path, path.partition(".")[0] in self._imports.dependencies)


@functools.lru_cache(maxsize=10_000)
def _bound(path: str) -> str:
    """Keep a path short, so that names can be followed to an end."""
    return path if path.startswith(OWN) else ".".join(reach.shorten(path).split(".")[:_MAX_PARTS])
