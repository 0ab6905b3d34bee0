"""One load of a model on each node.

With Ray, an actor of the node (the keeper) has each model loaded once, by a process that ends when it is
done, and keeps the reference: everyone reads the same bytes in the node's object store. A load that failed,
or whose process died, tells the same to all who wait for it; the next one who asks starts another. Without
Ray, the process loads for itself, once.
"""

import os
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from extractor_runtime import errors
from extractor_runtime.sdk.models.sources import Source
from extractor_runtime.sdk.models.weights import ModelError

_SECONDS = 1800.0
"""For one load: a large model over a slow line."""
_KEEPER_SECONDS = 120.0
"""For an answer of the keeper, which only starts loads; a busy machine starts its process slowly."""
_PREFIX = "HF_"
# Ray warns in the log about detached actors in a namespace without a name.
_NAMESPACE = "extractor"

_own: dict[Source, Any] = {}
_own_lock = threading.Lock()


def load(source: Source, *, seconds: float = _SECONDS) -> Any:
    """Return the model, loaded by whoever asked first. Raises ModelError."""
    if not _has_ray():
        with _own_lock:
            if source not in _own:
                _own[source] = _try_load(source)
            return _apart(_own[source])
    import ray

    try:
        return ray.get(request(source, seconds=seconds), timeout=seconds)
    except ModelError as error:
        # Ray's own kind of it, which carries the traceback of the loading process.
        raise ModelError(str(getattr(error, "cause", error))) from None
    except ray.exceptions.GetTimeoutError:
        raise ModelError(f"{source.name} was not loaded within {seconds:g} s and was given up") from None
    except ray.exceptions.RayError as error:
        raise ModelError(
            f"{source.name} was not loaded: the process that loads it died ({type(error).__name__}), "
            "most likely for want of memory"
        ) from None


def request(source: Source, *, seconds: float = _SECONDS) -> Any:
    """Have the model loaded on this node, and return the ObjectRef at once."""
    if not _has_ray():
        raise ModelError(
            f"there is no ObjectRef of {source.name}, since Ray does not run here: call load_hf_model"
        )
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    node = ray.get_runtime_context().get_node_id()
    # Detached: the worker that happens to ask first may end before the others.
    keeper = (
        ray.remote(Keeper)
        .options(
            name=_name(),
            namespace=_NAMESPACE,
            get_if_exists=True,
            lifetime="detached",
            num_cpus=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
        )
        .remote(node)
    )
    environment = {name: value for name, value in os.environ.items() if name.startswith(_PREFIX)}
    try:
        (reference,) = ray.get(keeper.request.remote(source, environment, seconds), timeout=_KEEPER_SECONDS)
    except ray.exceptions.RayError as error:
        raise ModelError(
            f"{source.name} was not loaded: the keeper of models is gone ({type(error).__name__}), try again"
        ) from error
    return reference


def is_loaded(name: str) -> bool:
    """Tell whether a model of that name is there without loading."""
    if not _has_ray():
        return any(source.name == name for source in _own)
    import ray

    try:
        keeper = ray.get_actor(_name(), namespace=_NAMESPACE)
        return bool(ray.get(keeper.is_loaded.remote(name), timeout=_KEEPER_SECONDS))
    except (ValueError, ray.exceptions.RayError):
        return False


@dataclass(frozen=True)
class _Load:
    """One attempt."""

    model: Any
    done: Any
    """A small object beside the model: it fails with it, and can be looked at without reading the model."""
    deadline: float
    """When it is given up, by the monotonic clock."""

    def state(self) -> bool | None:
        """Tell whether it succeeded; None while it runs."""
        import ray

        try:
            return bool(ray.get(self.done, timeout=0))
        except ray.exceptions.GetTimeoutError:
            return None
        except Exception:
            return False


class Keeper:
    """Starts loads on its node, and owns what they load; an actor."""

    def __init__(self, node: str) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._loads: dict[Source, _Load] = {}
        # The process ends after one call, and gives back what loading took. One that dies is not started
        # again: it would die again.
        self._task = ray.remote(num_cpus=0, num_returns=2, max_calls=1, max_retries=0)(_load).options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)
        )

    def request(self, source: Source, environment: dict[str, str], seconds: float) -> list[Any]:
        """Return the reference to the model, in a list: Ray would resolve a bare one."""
        import ray

        known = self._loads.get(source)
        state = known.state() if known else False
        if known and state is None and time.monotonic() > known.deadline:
            ray.cancel(known.model, force=True)
            state = False
        if known is None or state is False:
            model, done = self._task.remote(source, environment)
            known = self._loads[source] = _Load(model, done, time.monotonic() + seconds)
        return [known.model]

    def is_loaded(self, name: str) -> bool:
        """Tell whether a model of that name is loaded."""
        return any(source.name == name and bool(load.state()) for source, load in self._loads.items())


def _load(source: Source, environment: dict[str, str]) -> tuple[Any, bool]:
    # Where the author told the hub's client to look, and what it told it for a key.
    os.environ.update(environment)
    return _try_load(source), True


def _try_load(source: Source) -> Any:
    try:
        return source.load()
    except ModelError as error:
        raise ModelError(f"{source.name} was not loaded: {error}") from error
    except Exception as error:
        raise ModelError(f"{source.name} was not loaded: {errors.describe(error)}") from error


def _apart(value: Any) -> Any:
    """Copy the dicts, but not the tensors in them: authors take keys out of theirs."""
    if not isinstance(value, dict):
        return value
    return type(value)((key, _apart(item)) for key, item in value.items())


def _has_ray() -> bool:
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())


def _name() -> str:
    import ray

    return f"extractor-models-{ray.get_runtime_context().get_node_id()}"
