"""Models that load when they are first used, and not when an actor is made."""

import functools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from extractor_runtime.sdk.models import keeper, sources, weights
from extractor_runtime.sdk.models.weights import ModelError

Method = TypeVar("Method", bound=Callable[..., Any])

# One for all: two loads at a time would only compete, and making a model may use another one.
_LOCK = threading.RLock()


class LazyModelMixin:
    """Gives a class the model that its class attributes name, loaded at the first use."""

    model_id: str = ""
    model_class: str = "AutoModel"
    tokenizer_class: str | None = "AutoTokenizer"
    torch_dtype: str = "float32"
    model_source: str = "huggingface"
    """``huggingface``, or ``namespace`` for a model that the platform keeps."""

    # Of the class: whether the author's constructor calls ours is not known.
    _lazy_pair: tuple[Any, Any] | None = None

    def get_model(self) -> tuple[Any, Any]:
        """Return the model and its tokenizer (None where there is none)."""
        if self._lazy_pair is None:
            with _LOCK:
                if self._lazy_pair is None:
                    self._lazy_pair = self._instantiate_model(self._lazy_model().load())
        return self._lazy_pair

    def ensure_model_loaded(self) -> None:
        """Load the model now, if it is not loaded."""
        self.get_model()

    @property
    def model(self) -> Any:
        """The model."""
        return self.get_model()[0]

    @property
    def tokenizer(self) -> Any:
        """Its tokenizer, if it has one."""
        return self.get_model()[1]

    def _instantiate_model(self, cached: Any) -> tuple[Any, Any]:
        """Make model and tokenizer of what was loaded; overridden for an architecture of one's own."""
        return self._lazy_model().instantiate(cached, self._detect_device())

    def _detect_device(self) -> str:
        """Name the best device that there is: ``cuda``, ``mps`` or ``cpu``."""
        return _best_device()

    def _lazy_model(self) -> "_Model":
        if not self.model_id:
            raise ModelError(f"{type(self).__name__} names no model: set model_id in the class")
        return _Model(
            self.model_id, self.model_class, self.tokenizer_class, self.torch_dtype, self.model_source
        )


def lazy_model(
    model_id: str,
    model_class: str = "AutoModel",
    tokenizer_class: str | None = "AutoTokenizer",
    torch_dtype: str = "float32",
    model_source: str = "huggingface",
) -> Callable[[Method], Method]:
    """Load a model before the first call of a method, which finds it in ``self._model``.

    ``self._tokenizer`` is its tokenizer, and ``self._device`` names where it is.
    """
    model = _Model(model_id, model_class, tokenizer_class, torch_dtype, model_source)

    def decorate(method: Method) -> Method:
        @functools.wraps(method)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            # By model: two methods of a class may each have one of their own.
            made = vars(self).setdefault("_lazy_models", {})
            if model not in made:
                with _LOCK:
                    if model not in made:
                        device = _best_device()
                        made[model] = (*model.instantiate(model.load(), device), device)
            self._model, self._tokenizer, self._device = made[model]
            return method(self, *args, **kwargs)

        return cast(Method, call)

    return decorate


@dataclass(frozen=True)
class _Model:
    """What an author says of a model."""

    id: str
    model_class: str
    tokenizer_class: str | None
    torch_dtype: str
    source: str

    def load(self) -> Any:
        match self.source:
            case "huggingface":
                return keeper.load(
                    sources.hub(self.id, self.model_class, self.tokenizer_class, self.torch_dtype)
                )
            case "namespace":
                return keeper.load(sources.stored(self.id, self.model_class, self.torch_dtype))
        raise ModelError(
            f"model_source of {self.id} is {self.source!r}: there are 'huggingface' and 'namespace'"
        )

    def instantiate(self, cached: Any, device: str) -> tuple[Any, Any]:
        """Make a model whose parameters are the loaded tensors themselves, where the device allows it."""
        if not isinstance(cached, Mapping) or "model_class" not in cached:
            raise ModelError(
                f"{self.id} is weights without an architecture: "
                "derive from LazyModelMixin and override _instantiate_model(self, cached)"
            )
        torch, transformers = weights.library("torch"), weights.library("transformers")
        config = transformers.AutoConfig.for_model(**cached["config"])
        kind = getattr(transformers, cached["model_class"])
        if hasattr(kind, "from_config"):
            # Only the architecture's own class takes weights; an Auto class tells which that is.
            with torch.device("meta"):
                kind = type(kind.from_config(config))
        state = cached["state_dict"]
        dtype = next((one.dtype for one in state.values() if one.is_floating_point()), torch.float32)
        # Renamed in transformers 4.56, there and in the config.
        option = "dtype" if "dtype" in cached["config"] else "torch_dtype"
        model = kind.from_pretrained(None, config=config, state_dict=state, **{option: dtype})
        tokenizer = None
        if self.tokenizer_class is not None and (found := cached["tokenizer_config"]):
            tokenizer = getattr(transformers, found["class"]).from_pretrained(found["tokenizer_dir"])
        return model.to(device).eval(), tokenizer


def _best_device() -> str:
    torch = weights.library("torch")
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
