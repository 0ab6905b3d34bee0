"""What ``build_steps`` and ``extract`` are given, and how they are called.

Archives read the parameters at different places (``extractor_request.extractor_config.parameters``,
``.parameters``, ``.params``) and declare different arguments: the request has all of them, and each function
gets the ones it takes.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from extractor_apis.run import RunConfig


@dataclass(frozen=True)
class ExtractorConfig:
    """The part of a request that says how the extractor is used."""

    feature_extractor_name: str
    version: str
    parameters: dict[str, Any] = field(default_factory=dict)
    input_mappings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ExtractorRequest:
    """One run, as the author's pipeline sees it."""

    extractor_config: ExtractorConfig
    collection_id: str

    @classmethod
    def of(cls, config: RunConfig) -> "ExtractorRequest":
        """Describe a run to the author."""
        manifest = config.manifest
        return cls(
            extractor_config=ExtractorConfig(
                feature_extractor_name=manifest.name,
                version=manifest.version,
                parameters=dict(config.parameters),
                input_mappings=dict(manifest.input_mappings),
            ),
            collection_id=config.collection,
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """The run's parameters."""
        return self.extractor_config.parameters

    params = parameters

    @property
    def feature_extractor_name(self) -> str:
        """The manifest's name."""
        return self.extractor_config.feature_extractor_name

    @property
    def version(self) -> str:
        """The manifest's version."""
        return self.extractor_config.version


def call_with(function: Callable[..., Any], values: Mapping[str, Any]) -> Any:
    """Call a function with those of the named values that its signature takes, by keyword."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return function(**values)
    names = {parameter.name for parameter in parameters if parameter.kind is not parameter.POSITIONAL_ONLY}
    return function(**{name: value for name, value in values.items() if name in names})
