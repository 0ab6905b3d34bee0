"""Import an accepted tree under a package name of its own.

An author's modules never land in the interpreter's top-level namespace: two versions can be loaded side by
side, and no archive can shadow a module of ours. Absolute imports between the author's modules (``from
processors.core import X``, or through the name of the folder that wrapped the archive) are made relative to
that package as each module is compiled; the files themselves stay as they were scanned, so tracebacks show
the author's own lines.
"""

import ast
import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from extractor_apis import naming
from extractor_runtime import errors, places


@dataclass(frozen=True)
class Tree:
    """An unpacked, accepted artifact."""

    root: Path
    digest: str
    top_folder: str | None = None
    environment: Path | None = None
    """Folder of the distributions that it depends on beside what the runtime has."""

    @property
    def package(self) -> str:
        """Name of the package that the tree is imported as."""
        return naming.package_name(self.digest)

    def has(self, module: str) -> bool:
        """Tell whether the archive has a module of that name at its root."""
        return (self.root / f"{module}.py").is_file() or (self.root / module).is_dir()


def load(tree: Tree, module: str) -> ModuleType:
    """Import a module of the tree, for example ``pipeline``.

    Raises AuthorError with the author's file and line when it does not import.
    """
    _install(tree)
    try:
        return importlib.import_module(f"{tree.package}.{module}")
    except (Exception, SystemExit) as error:
        raise errors.AuthorError(
            f"{module}.py does not import: {errors.describe(error)}", places.of_error(error, tree.root)
        ) from error


def rewrite_imports(
    source: ast.Module, package: str, roots: Iterable[str], top_folder: str | None
) -> ast.Module:
    """Point absolute imports of the archive's own modules into ``package``; lines stay where they are."""
    rewritten: ast.Module = _ImportRewriter(package, frozenset(roots), top_folder).visit(source)
    return ast.fix_missing_locations(rewritten)


def _install(tree: Tree) -> None:
    environment = str(tree.environment) if tree.environment else None
    if environment and environment not in sys.path:
        # Last, and not a site folder: it hides no module of the runtime's, and none of its .pth files is run.
        sys.path.append(environment)
    if not any(
        isinstance(finder, _TreeFinder) and finder.package == tree.package for finder in sys.meta_path
    ):
        sys.meta_path.insert(0, _TreeFinder(tree))


class _TreeFinder(importlib.abc.MetaPathFinder):
    """Finds the modules of one tree, with or without ``__init__.py``."""

    def __init__(self, tree: Tree) -> None:
        self.package = tree.package
        self._root = tree.root
        self._top_folder = tree.top_folder
        # A folder of data is no module: `tokenizers/vocab.json` does not hide the library of that name.
        self._roots = frozenset(
            path.stem for path in tree.root.iterdir() if path.suffix == ".py" or any(path.rglob("*.py"))
        ) - {"__init__"}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.package and not fullname.startswith(f"{self.package}."):
            return None
        base = self._root.joinpath(*fullname.split(".")[1:])
        for file, is_package in ((base / "__init__.py", True), (base.with_name(f"{base.name}.py"), False)):
            if file.is_file() and (is_package or base != self._root):
                loader = _TreeLoader(fullname, file, self.package, self._roots, self._top_folder)
                spec = importlib.machinery.ModuleSpec(
                    fullname, loader, origin=str(file), is_package=is_package
                )
                break
        else:
            if not base.is_dir():
                return None
            spec, is_package = importlib.machinery.ModuleSpec(fullname, None, is_package=True), True
        if is_package:
            spec.submodule_search_locations = [str(base)]
        spec.has_location = spec.origin is not None
        return spec


class _TreeLoader(importlib.abc.SourceLoader):
    """Compiles a file of the tree, and keeps no bytecode: the tree is read-only, the code rewritten."""

    def __init__(
        self, fullname: str, file: Path, package: str, roots: frozenset[str], top_folder: str | None
    ) -> None:
        self._fullname = fullname
        self._file = file
        self._package = package
        self._roots = roots
        self._top_folder = top_folder

    def get_filename(self, fullname: str) -> str:
        return str(self._file)

    def get_data(self, path: str | bytes) -> bytes:
        return self._file.read_bytes()

    def source_to_code(self, data, path, *, _optimize=-1):  # type: ignore[no-untyped-def,override]
        tree = ast.parse(data, filename=path)
        rewritten = rewrite_imports(tree, self._package, self._roots, self._top_folder)
        return compile(rewritten, path, "exec", dont_inherit=True, optimize=_optimize)


class _ImportRewriter(ast.NodeTransformer):
    def __init__(self, package: str, roots: frozenset[str], top_folder: str | None) -> None:
        self._package = package
        self._roots = roots
        self._top_folder = top_folder

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        return [
            ast.copy_location(statement, node) for alias in node.names for statement in self._import(alias)
        ]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        if node.level == 0 and node.module and (target := self._inside(node.module)):
            node.module = target
        return node

    def _import(self, alias: ast.alias) -> list[ast.stmt]:
        target = self._inside(alias.name)
        if target is None:
            return [ast.Import([alias])]
        if alias.asname:
            return [ast.Import([ast.alias(target, alias.asname)])]
        # `import a.b` loads a.b and binds a.
        first = alias.name.partition(".")[0]
        bound = self._inside(first)
        assert bound is not None
        load_all = ast.Import([ast.alias(target, first)])
        return [load_all] if target == bound else [load_all, ast.Import([ast.alias(bound, first)])]

    def _inside(self, name: str) -> str | None:
        first, _, rest = name.partition(".")
        if first in self._roots:
            return f"{self._package}.{name}"
        if first == self._top_folder:
            return f"{self._package}.{rest}" if rest else self._package
        return None
