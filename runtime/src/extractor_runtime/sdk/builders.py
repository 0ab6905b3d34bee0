"""The builder style of ``build_steps``: parameters, preparation and steps put together by objects.

Re-exported as ``engine.plugins.extractors.builder`` and ``engine.pipelines.models``.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ValidationError

from extractor_runtime import errors
from extractor_runtime.sdk.request import ExtractorRequest

Prepare = Callable[[Any], Any]


class InputFieldType(StrEnum):
    """The column that an extractor reads its input from."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    PDF = "pdf"


@dataclass
class PipelineStepsAndPrepare:
    """What ``extract`` returns."""

    steps: Sequence[Any]
    prepare: Prepare | None = None


class BaseExtractorBuilder:
    """Validates a request's parameters, and puts a pipeline together."""

    def __init__(
        self,
        extractor_request: ExtractorRequest,
        extractor_name: str,
        inputs_model: type[BaseModel] | None = None,
        params_model: type[BaseModel] | None = None,
    ) -> None:
        self.extractor_request = extractor_request
        self.extractor_name = extractor_name
        self.inputs_model = inputs_model
        parameters = extractor_request.extractor_config.parameters or {}
        self.params: Any = parameters
        """The parameters as the author's model, or as they are without one."""
        if params_model is not None:
            try:
                self.params = params_model.model_validate(parameters)
            except ValidationError as error:
                raise errors.RunError(_describe(extractor_name, error)) from error

    def build_pipeline(
        self,
        pipeline_steps: Sequence[Any],
        prepare_function: Prepare | None = None,
        base_steps: Sequence[Any] | None = None,
        content_flags: Any = None,
    ) -> PipelineStepsAndPrepare:
        """Put the platform's steps before the author's; ``content_flags`` is part of the contract."""
        return PipelineStepsAndPrepare([*(base_steps or ()), *pipeline_steps], prepare_function)


class DatasetPreparationBuilder:
    """Makes the function that prepares a dataset: the input is also found in the column of its kind.

    Rows of other kinds stay: each step's condition decides what it takes, and an object that vanished here
    would be one that never came back.
    """

    def __init__(
        self,
        extractor_request: ExtractorRequest,
        extractor_name: str,
        supported_content_types: Iterable[Any] = (),
        input_field_mapping: InputFieldType | str | None = None,
    ) -> None:
        self.supported_content_types = list(supported_content_types)
        self._column = input_field_mapping and str(input_field_mapping)

    def build_prepare_function(self) -> Prepare:
        """Return the function for ``{"prepare": ...}``: Ray dataset in, Ray dataset out."""
        if not self._column:
            return lambda dataset: dataset
        alias = _Alias(self._column)
        return lambda dataset: dataset.map_batches(alias, batch_size=None, batch_format="pyarrow")


@dataclass(frozen=True)
class _Alias:
    """Repeat ``data`` under another name, unless there is such a column."""

    column: str

    def __call__(self, table: Any) -> Any:
        if self.column in table.column_names:
            return table
        return table.append_column(self.column, table.column("data"))


def _describe(extractor: str, error: ValidationError) -> str:
    faults = (
        f"{'.'.join(map(str, fault['loc'])) or 'all of them'}: {fault['msg']}"
        for fault in error.errors(include_url=False)
    )
    return f"the parameters do not fit {extractor}: {'; '.join(faults)}"
