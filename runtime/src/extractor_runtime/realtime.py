"""An author's realtime class, whichever form it has, behind one method.

Archives answer in four forms (a factory, a subclass of BaseInferenceService, a class found by its name, a
``RealtimeHandler``), with five method names, with or without ``async``. Everything past this file sees one.
"""

import inspect
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from extractor_apis.manifest import Manifest
from extractor_runtime import answers, errors, loader
from extractor_runtime.answers import embedding as embedding
from extractor_runtime.author_loop import AuthorLoop
from extractor_runtime.batching import Batcher
from extractor_runtime.service import BaseInferenceService

JsonObject = dict[str, Any]
Request = tuple[JsonObject, JsonObject]

_MODULE = "realtime"
_FACTORY = "get_inference_service"
_HANDLER = "RealtimeHandler"
_SUFFIXES = ("InferenceService", "RealtimeService")
_BATCH_METHOD = "run_inference_batch"
_METHODS = ("run_inference", "_process_single", "__call__", "predict")
_EXPECTED = (
    f"{_FACTORY}(), a subclass of BaseInferenceService, a class whose name ends in "
    f"{' or '.join(_SUFFIXES)}, or {_HANDLER}"
)


class RealtimeService:
    """The author's object, imported, constructed and ready to answer."""

    def __init__(self, instance: object, author: AuthorLoop, tree: loader.Tree, manifest: Manifest) -> None:
        self._author = author
        self._tree = tree
        self._manifest = manifest
        methods = {name: _bound(instance, name) for name in (_BATCH_METHOD, *_METHODS)}
        self._name, method = next(((name, found) for name, found in methods.items() if found), ("", None))
        if method is None:
            raise errors.AuthorError(
                f"{type(instance).__name__} has no method that answers: expected one of {', '.join(methods)}",
                _definition(type(instance), tree),
            )
        self._method = method
        self.batches = self._name == _BATCH_METHOD
        """Whether concurrent requests are given to the author together."""
        self._merged = not self.batches and _takes_one(method)
        self._batcher = Batcher(self._answer_batch, manifest.compute_profile.batch_size)

    @classmethod
    def load(cls, tree: loader.Tree, manifest: Manifest, *, seconds: float = 600.0) -> "RealtimeService":
        """Import ``realtime.py``, find its class and construct it, within ``seconds`` each.

        Raises AuthorError with the author's file and line.
        """
        if not tree.has(_MODULE):
            raise errors.AuthorError(f"the archive has no realtime.py: add one with {_EXPECTED}")
        profile = manifest.compute_profile
        # Model code is seldom safe to call from two threads; a client that waits for a remote API has to be.
        threads = profile.max_concurrency if profile.resource_type == "api" else 1
        author = AuthorLoop(tree.root, threads)
        try:
            module = author.call(loader.load, tree, _MODULE, seconds=seconds, what="importing realtime.py")
            create = _find(module)
            name = getattr(create, "__name__", _FACTORY)
            try:
                instance = author.call(create, seconds=seconds, what=f"{name}()")
            except errors.AuthorError:
                raise
            except Exception as error:
                raise _raised(f"{name}()", error, tree) from error
            return cls(instance, author, tree, manifest)
        except BaseException:
            author.close()
            raise

    async def answer(self, inputs: JsonObject, parameters: JsonObject) -> JsonObject:
        """Answer one request. Raises AuthorError when the author's code raises or its answer is no good."""
        if self.batches:
            return await self._batcher.submit((inputs, parameters))
        arguments = ({**parameters, **inputs},) if self._merged else (inputs, parameters)
        return self._checked(await self._call(*arguments), inputs)

    async def breathe(self) -> None:
        """Return once the author's thread is free: never, if its code hangs."""
        await self._author.run(_nothing)

    def close(self) -> None:
        """Stop the author's thread."""
        self._author.close()

    async def _answer_batch(self, requests: list[Request]) -> Sequence[JsonObject | Exception]:
        """Answer requests together; when that fails, each alone, so that none fails for its neighbour."""
        inputs, parameters = ([request[part] for request in requests] for part in (0, 1))
        try:
            results = await self._call(inputs, parameters)
            if not isinstance(results, Sequence) or len(results) != len(requests):
                raise errors.AuthorError(
                    f"{_BATCH_METHOD} returned {_count(results)} for {len(requests)} requests", self._place()
                )
        except errors.AuthorError as error:
            if len(requests) == 1:
                return [error]
            return [(await self._answer_batch([request]))[0] for request in requests]
        return [self._try_checked(*pair) for pair in zip(results, inputs, strict=True)]

    async def _call(self, *arguments: Any) -> Any:
        try:
            return await self._author.run(self._method, *arguments)
        except Exception as error:
            raise _raised(self._name, error, self._tree) from error

    def _checked(self, answer: object, inputs: JsonObject) -> JsonObject:
        try:
            return answers.check(answer, inputs, self._manifest)
        except errors.AuthorError as error:
            raise errors.AuthorError(error.message, self._place()) from None

    def _try_checked(self, answer: object, inputs: JsonObject) -> JsonObject | Exception:
        try:
            return self._checked(answer, inputs)
        except errors.AuthorError as error:
            return error

    def _place(self) -> str | None:
        return _definition(self._method, self._tree)


def _find(module: ModuleType) -> Callable[[], object]:
    """Return what creates the service; the order is that of the contract."""
    factory: Callable[[], object] | None = getattr(module, _FACTORY, None)
    if factory is not None:
        return factory
    classes = [value for value in vars(module).values() if isinstance(value, type)]
    own = [
        one for one in classes if one.__module__ == module.__name__ and not one.__name__.startswith("Base")
    ]
    derived = [one for one in own if issubclass(one, BaseInferenceService)]
    # A class that another one here derives from is not the one that answers.
    leaves = [one for one in derived if sum(issubclass(other, one) for other in derived) == 1]
    named = [one for one in own if one.__name__.endswith(_SUFFIXES)]
    handlers = [one for one in own if one.__name__ == _HANDLER]
    for candidate in (*leaves, *named, *handlers):
        return candidate
    raise errors.AuthorError(f"no class that answers was found: expected {_EXPECTED}", "realtime.py:1")


def _bound(instance: object, name: str) -> Callable[..., Any] | None:
    # `__call__` counts only where the class defines it, as Python itself sees it.
    method = getattr(instance, name, None) if hasattr(type(instance), name) else None
    return method if callable(method) else None


def _takes_one(method: Callable[..., Any]) -> bool:
    """Tell whether a method wants inputs and parameters merged into one argument."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(method).parameters.values()
    if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        return False
    return sum(parameter.kind in kinds for parameter in parameters) == 1


def _definition(thing: Any, tree: loader.Tree) -> str | None:
    """Say where a function or class of the archive is written."""
    try:
        file, (_, line) = inspect.getsourcefile(thing), inspect.getsourcelines(thing)
    except (OSError, TypeError):
        return None
    return errors.innermost([(file or "", line)], tree.root)


def _raised(what: str, error: Exception, tree: loader.Tree) -> errors.AuthorError:
    return errors.AuthorError(f"{what} raised {errors.describe(error)}", errors.locate(error, tree.root))


def _count(results: object) -> str:
    return f"{len(results)} answers" if isinstance(results, Sequence) else f"a {type(results).__name__}"


async def _nothing() -> None:
    pass
