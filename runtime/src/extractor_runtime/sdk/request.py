"""What ``build_steps`` and ``extract`` are given, and how they are called.

Archives read the parameters at different places (``extractor_request.extractor_config.parameters``,
``.parameters``, ``.params``) and declare different arguments: the request has all of them, and each function
gets the ones it takes.
"""

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from extractor_apis.manifest import Manifest
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
                parameters=with_defaults(config.parameters, manifest),
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


def with_defaults(parameters: Mapping[str, Any], manifest: Manifest) -> dict[str, Any]:
    """Complete parameters by the defaults of the manifest's ``parameter_schema``.

    Their types are left to the author's code: a pydantic class there takes more than its JSON schema says.
    The author may write into what it gets.
    """
    return copy.deepcopy({**manifest.parameter_defaults, **parameters})


def call_with(function: Callable[..., Any], values: Mapping[str, Any], *, first: str | None = None) -> Any:
    """Call a function with those of the named values that its signature takes, by keyword.

    The value named ``first`` is also given to a function whose first parameter has another name, if that
    one must be given.
    """
    parameters = list(inspect.signature(function).parameters.values())
    arguments: list[Any] = []
    if first is not None and parameters and _is_required(parameters[0]) and parameters[0].name not in values:
        arguments.append(values[first])
        values = {name: value for name, value in values.items() if name != first}
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        names = {each.name for each in parameters if each.kind is not each.POSITIONAL_ONLY}
        values = {name: value for name, value in values.items() if name in names}
    return function(*arguments, **values)


def _is_required(parameter: inspect.Parameter) -> bool:
    kinds = (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    return parameter.kind in kinds and parameter.default is parameter.empty
