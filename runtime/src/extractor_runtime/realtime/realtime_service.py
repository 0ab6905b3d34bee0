"""An author's realtime class, whichever form it has, behind one method.

Archives answer in several forms (`realtime_class`), with five method names, with or without ``async``.
Everything past this file sees one.
"""

import copy
import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from extractor_apis.manifest import Manifest
from extractor_apis.services import Services
from extractor_runtime import errors, loader, places
from extractor_runtime.realtime import answers, realtime_class
from extractor_runtime.realtime.author_loop import AuthorLoop
from extractor_runtime.realtime.batching import Batcher
from extractor_runtime.sdk import request
from extractor_runtime.sdk.container import ServiceContainer

JsonObject = dict[str, Any]
Request = tuple[JsonObject, JsonObject]

_BATCH_METHOD = "run_inference_batch"
_METHODS = ("run_inference", "_process_single", "__call__", "predict")
_NO_SERVICES = Services()
_NO_PARAMETERS: JsonObject = {}


class RealtimeService:
    """The author's object, imported, constructed and ready to answer."""

    def __init__(
        self,
        instance: object,
        author: AuthorLoop,
        tree: loader.Tree,
        manifest: Manifest,
        parameters: JsonObject = _NO_PARAMETERS,
    ) -> None:
        self._author = author
        self._parameters = parameters
        self._tree = tree
        self._manifest = manifest
        methods = {name: _bound(instance, name) for name in (_BATCH_METHOD, *_METHODS)}
        self._name, method = next(((name, found) for name, found in methods.items() if found), ("", None))
        if method is None:
            raise errors.AuthorError(
                f"{type(instance).__name__} has no method that answers: expected one of {', '.join(methods)}",
                places.of_definition(type(instance), tree.root),
            )
        self._method = method
        self.batches = self._name == _BATCH_METHOD
        """Whether concurrent requests are given to the author together."""
        self._merged = not self.batches and _takes_one(method)
        self._batcher = Batcher(self._answer_batch, manifest.compute_profile.batch_size)

    @classmethod
    def load(
        cls,
        tree: loader.Tree,
        manifest: Manifest,
        services: Services = _NO_SERVICES,
        parameters: JsonObject = _NO_PARAMETERS,
        *,
        seconds: float = 600.0,
    ) -> "RealtimeService":
        """Import ``realtime.py``, find its class and construct it, within ``seconds`` each.

        The class is given ``container``, and ``config`` (``parameters`` over the manifest's defaults), if it
        takes them; those of a request go over both. Raises AuthorError with the author's file and line.
        """
        realtime_class.require(tree, manifest)
        given = {
            "container": ServiceContainer.of(services),
            "config": request.with_defaults(parameters, manifest),
        }
        profile = manifest.compute_profile
        # Model code is seldom safe to call from two threads; a client that waits for a remote API has to be.
        threads = profile.max_concurrency if profile.resource_type == "api" else 1
        author = AuthorLoop(tree.root, threads)
        try:
            module = author.call(
                loader.load, tree, realtime_class.MODULE, seconds=seconds, what="importing realtime.py"
            )
            create = realtime_class.find(module, tree)
            call = functools.partial(create, **realtime_class.arguments(create, given))
            name = f"{getattr(create, '__name__', realtime_class.FACTORY)}()"
            try:
                instance = author.call(call, seconds=seconds, what=name)
            except errors.AuthorError:
                raise
            except Exception as error:
                raise _raised(name, error, tree, places.of_definition(create, tree.root)) from error
            if instance is None:
                raise errors.AuthorError(f"{name} returned None", places.of_definition(create, tree.root))
            return cls(instance, author, tree, manifest, parameters)
        except BaseException:
            author.close()
            raise

    async def answer(self, inputs: JsonObject, parameters: JsonObject) -> JsonObject:
        """Answer one request. Raises AuthorError when the author's code raises or its answer is no good."""
        expected = answers.Expected.of(inputs, self._manifest)
        parameters = request.with_defaults({**self._parameters, **parameters}, self._manifest)
        if self.batches:
            answer = await self._batcher.submit((inputs, parameters))
        else:
            arguments = ({**parameters, **inputs},) if self._merged else (inputs, parameters)
            answer = await self._call(*arguments)
        try:
            return expected.check(answer)
        except errors.AuthorError as error:
            raise errors.AuthorError(error.message, self._place()) from None

    async def breathe(self) -> None:
        """Return once the author's thread is free: never, if its code hangs."""
        await self._author.run(_nothing)

    def close(self) -> None:
        """Stop the author's thread."""
        self._author.close()

    async def _answer_batch(self, requests: list[Request]) -> Sequence[Any]:
        """Answer requests together; when that fails, each alone, so that none fails for its neighbour."""
        # Code that fails half-way may have changed what it was given.
        given = copy.deepcopy(requests) if len(requests) > 1 else requests
        inputs, parameters = ([one[part] for one in given] for part in (0, 1))
        try:
            results = await self._call(inputs, parameters)
            if not isinstance(results, Sequence) or len(results) != len(requests):
                raise errors.AuthorError(
                    f"{_BATCH_METHOD} returned {_count(results)} for {len(requests)} requests", self._place()
                )
        except errors.AuthorError as error:
            if len(requests) == 1:
                return [error]
            return [(await self._answer_batch([one]))[0] for one in requests]
        return [self._told(one) if isinstance(one, Exception) else one for one in results]

    async def _call(self, *arguments: Any) -> Any:
        try:
            return await self._author.run(self._method, *arguments)
        except Exception as error:
            told = self._told(error)
            if isinstance(error, KeyError) and isinstance(arguments[0], dict):
                names = ", ".join(map(str, arguments[0])) or "none"
                told = errors.AuthorError(f"{told.message}; the inputs given are: {names}", told.location)
            raise told from error

    def _told(self, error: Exception) -> errors.AuthorError:
        return _raised(self._name, error, self._tree, self._place())

    def _place(self) -> str | None:
        return places.of_definition(self._method, self._tree.root)


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


def _raised(what: str, error: Exception, tree: loader.Tree, place: str | None) -> errors.AuthorError:
    """Tell what raised, at the author's line; where that is not known, at the definition."""
    return errors.AuthorError(
        f"{what} raised {errors.describe(error)}", places.of_error(error, tree.root) or place
    )


def _count(results: object) -> str:
    return f"{len(results)} answers" if isinstance(results, Sequence) else f"a {type(results).__name__}"


async def _nothing() -> None:
    pass
