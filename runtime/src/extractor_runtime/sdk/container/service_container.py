"""What an author's code is given as ``container``: references only, so that it can be pickled."""

from dataclasses import dataclass

from extractor_apis.services import Services
from extractor_runtime import usage
from extractor_runtime.sdk.container.inference import Inference
from extractor_runtime.sdk.container.llm import LLM
from extractor_runtime.sdk.container.secrets import Secrets

_given = Services()
"""What this process was given last."""


@dataclass(frozen=True)
class Charges:
    """Charges what the author's code knows best: minutes, pages, faces."""

    def add(self, unit: str, amount: float) -> None:
        """Charge an amount of a unit of the manifest's ``cost_rates`` to the row that is worked on."""
        usage.record(units={unit: amount})


@dataclass(frozen=True)
class Models:
    """Finds the models of the namespace."""

    def get(self, name: str) -> object:
        """Return the weights of a model, as ``load_namespace_model`` does."""
        from extractor_runtime.sdk import models

        return models.load_namespace_model(name)


@dataclass(frozen=True)
class ServiceContainer:
    """The services of one run."""

    services: Services

    @classmethod
    def of(cls, services: Services) -> "ServiceContainer":
        """Give this process services; from now on no value of their secrets is in its errors and logs."""
        global _given
        _given = services
        Secrets(services.secrets).remember()
        return cls(services)

    @classmethod
    def create(cls, namespace_id: str | None = None) -> "ServiceContainer":
        """Return the container of this process, as archives ask for it; the namespace is the run's."""
        return cls(_given)

    @property
    def secrets(self) -> Secrets:
        """Secrets by name."""
        return Secrets(self.services.secrets)

    @property
    def llm(self) -> LLM:
        """Language models."""
        return LLM(self.services)

    @property
    def inference(self) -> Inference:
        """Models behind an endpoint."""
        return Inference(self.services)

    @property
    def models(self) -> Models:
        """Models of the namespace."""
        return Models()

    @property
    def usage(self) -> Charges:
        """What else is to be charged."""
        return Charges()
