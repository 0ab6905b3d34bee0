"""All files of an archive together: what their names stand for, across files, and what that breaks.

Where a name goes where nobody can follow it, everything unknown may be it from then on.
"""

import itertools
from collections.abc import Iterable, Iterator
from functools import cached_property

from extractor_sandbox import loaders, reach
from extractor_sandbox.facts import SUSPECTS, Facts, Use
from extractor_sandbox.finding import Problem
from extractor_sandbox.imports import Imports
from extractor_sandbox.loaders import LoaderCall
from extractor_sandbox.reach import Fault
from extractor_sandbox.scopes import OWN, Ref, Scope, unmangled

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
        self._files: list[Facts] = []
        self._fields = Scope()
        self._modules: dict[str, list[Scope]] = {}
        self._scattered: set[str] = set()
        """What names stand for that stand for too much."""

    def add(self, file: Facts) -> None:
        """Add a file."""
        self._files.append(file)
        for name, refs in file.fields.names.items():
            self._fields.bind(name, refs)
        if file.module is not None:
            self._modules.setdefault(file.module, []).append(file.scope)

    @cached_property
    def faults(self) -> list[tuple[Fault, Problem]]:
        """What is wrong with the uses of modules, and where."""
        return [
            (fault, Problem(fault.message, file.path, use.line, use.column, fault.advice))
            for file in self._files
            for use in file.uses
            for fault in sorted(self._judge(use), key=lambda fault: fault.message)[:1]
        ]

    @cached_property
    def loader_calls(self) -> list[tuple[str, str, LoaderCall, set[str]]]:
        """Calls of loaders: the file's path, the loader's, the call, and what YAML's loader may be."""
        return [
            (file.path, path, call, set().union(*map(self._resolve, call.loader)))
            for file in self._files
            for call in file.calls
            for path in sorted(set(map(reach.shorten, self._resolve(call.ref))) & loaders.PATHS)
        ]

    def link(self) -> None:
        """Find what every name stands for, once all files are added: repeat until nothing new turns up."""
        scopes = [self._fields, *(scope for file in self._files for scope in file.scope.opened)]
        bound = [(scope, name, refs) for scope in scopes for name, refs in scope.names.items() if refs]
        changed = True
        while changed:
            changed = False
            for scope, name, refs in bound:
                known = scope.meanings.get(name, set())
                if _ANYTHING not in known:
                    meanings = known | {_bound(path) for ref in refs for path in self._resolve(ref)}
                    if len(meanings) > _MAX_MEANINGS:
                        self._scattered |= meanings - {_ANYTHING}
                        meanings = {_ANYTHING}
                    scope.meanings[name] = meanings
                    changed |= meanings != known

    def _resolve(self, ref: Ref) -> set[str]:
        """Give the paths that a reference may stand for, as far as they are known by now."""
        paths = {ref.name} if ref.name else set()
        if ref.scope:
            paths = set().union(*(scope.meanings.get(ref.name, ()) for scope in ref.scope.find(ref.name)))
        is_certain = _is_certain(ref)
        for attribute in ref.attributes:
            paths = self._read(paths, attribute)
            if not is_certain:
                paths |= self._fields.meanings.get(unmangled(attribute), set())
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
        for scope in self._modules.get(module, ()):
            found |= scope.meanings.get(unmangled(attribute), set())
        return found

    def _judge(self, use: Use) -> Iterator[Fault]:
        """Find what is wrong with a use, whatever of its meanings it has."""
        paths = {path for path in self._resolve(use.ref) if not path.startswith(OWN)}
        for path in paths - {_ANYTHING}:
            fault = self._find_fault(path)
            if fault and not use.is_changed:
                yield fault
            elif use.is_value and path in reach.NO_VALUES:
                yield Fault("C06", f"passes the module {path} on", "Use its attributes where you need them.")
            elif use.is_value and reach.shorten(path) in reach.ONLY_CALLED:
                yield Fault("C10", f"passes {path} on without calling it", "Use yaml.safe_load.")
        if use.is_changed:
            *attributes, last = use.ref.attributes
            for owner in self._resolve(Ref(use.ref.scope, use.ref.name, tuple(attributes))):
                if owner != _ANYTHING and not owner.startswith(OWN):
                    advice = "Assign a constant, or wrap it in a function of your own."
                    yield Fault("C06", f"assigns to {owner}.{last}", advice)
        if not _is_certain(use.ref):
            yield from self._judge_unknown(use.ref.attributes)

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
        imported = {module for file in self._files for module in file.modules}
        imported |= {".".join(module.split(".")[:depth]) for module in imported for depth in range(1, 4)}
        imported |= {OWN + module for module in self._modules} | _SUBMODULES
        passed = {path for file in self._files for ref in file.passed for path in self._resolve(ref)}
        return sorted(passed & imported | self._scattered)

    def _find_fault(self, path: str) -> Fault | None:
        return reach.find_fault(path, path.partition(".")[0] in self._imports.dependencies)


def _is_certain(ref: Ref) -> bool:
    """Tell whether a reference is to others' modules and nothing else."""
    return ref.scope.is_imported(ref.name) if ref.scope else ref.is_outside


def _bound(path: str) -> str:
    """Keep a path short, so that names can be followed to an end."""
    return path if path.startswith(OWN) else ".".join(reach.shorten(path).split(".")[:_MAX_PARTS])
