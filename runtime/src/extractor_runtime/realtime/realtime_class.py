"""Finding an archive's realtime class, and making its object.

What creates the object is, in this order: a factory, a subclass of BaseInferenceService, a class found by its
name, a ``RealtimeHandler``.
"""

import ast
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from extractor_apis.manifest import Manifest
from extractor_runtime import errors, loader
from extractor_runtime.sdk.inference_service import BaseInferenceService, ServeDeploymentConfig
from extractor_runtime.sdk.unavailable import UnavailableService

MODULE = "realtime"
FACTORY = "get_inference_service"
_HANDLER = "RealtimeHandler"
_SUFFIXES = ("InferenceService", "RealtimeService")
_EXPECTED = (
    f"{FACTORY}(), a subclass of BaseInferenceService, a class whose name ends in "
    f"{' or '.join(_SUFFIXES)}, or {_HANDLER}"
)
_PROMISES = ("feature_uri", "serve_config")


def require(tree: loader.Tree, manifest: Manifest) -> None:
    """Raise AuthorError if the archive has no realtime half, with the manifest's line that promises one."""
    if tree.has(MODULE):
        return
    promise = next((name for name in _PROMISES if getattr(manifest, name) is not None), None)
    if promise is None:
        raise errors.AuthorError(f"the archive has no realtime.py: add one with {_EXPECTED}")
    raise errors.AuthorError(
        f"the manifest sets {promise}, but the archive has no realtime.py: add one with {_EXPECTED}",
        _line_of(promise, tree.root / "manifest.py"),
    )


def find(module: ModuleType, tree: loader.Tree) -> Callable[..., object]:
    """Return what creates the object. Raises AuthorError when there is nothing."""
    factory: object = getattr(module, FACTORY, None)
    if callable(factory):
        return factory
    # `@serve.deployment` wraps a class: here Serve runs a class of ours around it.
    values = [getattr(value, "func_or_class", value) for value in vars(module).values()]
    own = [
        value
        for value in values
        if isinstance(value, type)
        and (value.__module__.partition(".")[0] == tree.package or issubclass(value, UnavailableService))
        and not value.__name__.startswith("Base")
    ]
    derived = [one for one in own if issubclass(one, BaseInferenceService)]
    # A class that another one here derives from is not the one that answers.
    leaves = [one for one in derived if sum(issubclass(other, one) for other in derived) == 1]
    named = [one for one in own if one.__name__.endswith(_SUFFIXES)]
    handlers = [one for one in own if one.__name__ == _HANDLER]
    for candidate in (*leaves, *named, *handlers):
        return candidate
    raise errors.AuthorError(f"no class that answers was found: expected {_EXPECTED}", "realtime.py:1")


def arguments(create: Callable[..., object], given: Mapping[str, Any]) -> dict[str, Any]:
    """Choose what a class or factory is called with.

    ``container`` is given where it is named, ``config`` where it is needed: authors write ``config=None`` for
    settings of a class of their own, which a dict is not. ``**kwargs`` of a class take what it does not name;
    those of a factory nothing, since the SDK's template hands them to a class that takes something else.
    """
    try:
        parameters = inspect.signature(create).parameters.values()
    except (TypeError, ValueError):
        return {}
    by_keyword = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    named = {one.name: one for one in parameters if one.kind in by_keyword}
    takes_any = isinstance(create, type) and any(one.kind is one.VAR_KEYWORD for one in parameters)
    wanted = {name for name, one in named.items() if name == "container" or one.default is one.empty}
    return {
        name: value for name, value in given.items() if name in wanted or (takes_any and name not in named)
    }


def declared_replicas(tree: loader.Tree) -> int | None:
    """Read ``serve_config = ServeDeploymentConfig(num_replicas=…)`` of a class, without importing it."""
    for node in ast.walk(_parse(tree.root / f"{MODULE}.py")):
        if (
            isinstance(node, ast.Assign | ast.AnnAssign)
            and isinstance(node.value, ast.Call)
            and ast.unparse(node.value.func).endswith(ServeDeploymentConfig.__name__)
        ):
            for keyword in node.value.keywords:
                if keyword.arg == "num_replicas" and isinstance(keyword.value, ast.Constant):
                    number = keyword.value.value
                    return number if type(number) is int and number > 0 else None
    return None


def _line_of(name: str, file: Path) -> str | None:
    """Find where a manifest sets a name, on its own or as a key of its metadata."""
    for node in ast.walk(_parse(file)):
        if (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name) or (
            isinstance(node, ast.Constant) and node.value == name
        ):
            return f"{file.name}:{node.lineno}"
    return None


def _parse(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ast.Module([], [])
