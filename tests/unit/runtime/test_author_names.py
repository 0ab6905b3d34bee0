"""Behind the names that archives import: builders, base classes, records, models that are not here."""

import asyncio
import importlib
import logging
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pydantic import BaseModel, Field, ValidationError

from extractor_apis.manifest import CostRate, CostUnit
from extractor_runtime import errors
from extractor_runtime.sdk.batch_service import BaseBatchInferenceService
from extractor_runtime.sdk.builders import BaseExtractorBuilder, DatasetPreparationBuilder, InputFieldType
from extractor_runtime.sdk.definitions import (
    ContentCategory,
    CostsInfo,
    ExtractorDefinition,
    FeatureExtractorModel,
    VectorIndex,
    VectorIndexDefinition,
    VectorType,
)
from extractor_runtime.sdk.request import ExtractorConfig, ExtractorRequest
from extractor_runtime.sdk.unavailable import UnavailableModelError, get_batch_service


class Parameters(BaseModel):
    threshold: float = Field(default=0.5, le=1)


def request(**parameters: Any) -> ExtractorRequest:
    return ExtractorRequest(ExtractorConfig("probe", "1.0.0", parameters), collection_id="default")


def builder(**parameters: Any) -> BaseExtractorBuilder:
    return BaseExtractorBuilder(
        extractor_request=request(**parameters),
        extractor_name="Probe",
        inputs_model=Parameters,
        params_model=Parameters,
    )


def test_a_builder_gives_the_parameters_as_the_authors_model() -> None:
    assert builder(threshold=0.7).params == Parameters(threshold=0.7)


def test_parameters_that_do_not_fit_are_named() -> None:
    with pytest.raises(errors.RunError) as caught:
        builder(threshold=2)

    assert str(caught.value) == (
        "the parameters do not fit Probe: threshold: Input should be less than or equal to 1"
    )


def test_a_built_pipeline_has_the_platforms_steps_first() -> None:
    built = builder().build_pipeline(
        pipeline_steps=[len], prepare_function=list, base_steps=[abs], content_flags={}
    )

    assert (built.steps, built.prepare) == ([abs, len], list)


class Dataset:
    """As much of a Ray dataset as a prepare function uses."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def map_batches(self, function: Callable[[pa.Table], pa.Table], **options: Any) -> "Dataset":
        assert options == {"batch_size": None, "batch_format": "pyarrow"}
        return Dataset(function(self.table))


@pytest.mark.parametrize(
    ("columns", "want"),
    [
        ({"data": ["x"]}, {"data": ["x"], "text": ["x"]}),
        ({"data": ["x"], "text": ["y"]}, {"data": ["x"], "text": ["y"]}),
    ],
    ids=["the column is added", "a column that is there stays"],
)
def test_a_prepared_dataset_has_the_input_in_the_column_of_its_kind(
    columns: dict[str, list[str]], want: dict[str, list[str]]
) -> None:
    prepare = DatasetPreparationBuilder(
        extractor_request=request(),
        extractor_name="Probe",
        supported_content_types=[ContentCategory.TEXT],
        input_field_mapping=InputFieldType.TEXT,
    ).build_prepare_function()

    assert prepare(Dataset(pa.table(columns))).table.to_pydict() == want


class Upper(BaseBatchInferenceService):
    def _process_batch(self, batch: Any) -> Any:
        return batch.assign(upper=batch["data"].str.upper())


class LaterUpper(BaseBatchInferenceService):
    def __init__(self, config: Any, **kwargs: Any) -> None:
        self.config = config
        super().__init__(**kwargs)

    async def _process_batch(self, batch: Any) -> Any:
        return batch["data"].tolist()


def test_a_batch_class_is_given_an_index_from_zero_and_logs_the_batch(
    caplog: pytest.LogCaptureFixture,
) -> None:
    batch = pd.DataFrame({"data": ["a", "b"]}, index=[7, 9])

    with caplog.at_level(logging.INFO):
        result = Upper(config={"x": 1}, progress_actor=None)(batch)

    assert result.to_dict("list") == {"data": ["a", "b"], "upper": ["A", "B"]}
    assert list(result.index) == [0, 1]
    assert "Upper: a batch of 2 rows" in caplog.messages


def test_a_batch_class_may_be_async_and_set_its_own_config() -> None:
    service = LaterUpper({"x": 1}, progress_actor=None)

    assert service.config == {"x": 1}
    assert asyncio.run(service(pd.DataFrame({"data": ["a"]}))) == ["a"]


def test_a_batch_class_without_its_method_says_which() -> None:
    with pytest.raises(NotImplementedError, match=r"Service must define _process_batch\(self, batch\)"):
        BaseBatchInferenceService()(pd.DataFrame({"data": ["a"]}))


@pytest.mark.parametrize(
    ("module", "name", "want"),
    [
        ("engine.inference.openai.whisper_api.services", "WhisperTranscriptionBatch", "openai/whisper_api"),
        ("engine.inference.ffmpeg.services", "FFmpegParallelChunking", "ffmpeg"),
        ("engine.inference.insightface.scrfd.services", "InferenceService", "insightface/scrfd"),
        ("engine.inference.never.heard_of.services", "Anything", "never/heard_of"),
    ],
)
def test_a_built_in_service_imports_and_fails_when_it_is_made(module: str, name: str, want: str) -> None:
    service = getattr(importlib.import_module(module), name)

    assert service.__name__ == name
    with pytest.raises(UnavailableModelError, match=f"^the built-in model service {want} is not part of"):
        service(config={})


def test_a_registered_service_is_found_and_fails_when_it_is_made() -> None:
    service = get_batch_service("intfloat/multilingual-e5-large-instruct")

    with pytest.raises(UnavailableModelError, match="service intfloat/multilingual-e5-large-instruct is not"):
        service(config={})


def test_a_built_in_service_can_be_configured() -> None:
    models = importlib.import_module("shared.inference.intfloat.multilingual_e5_large_instruct.models")

    config = models.InferenceConfigs(text_column="text", output_column_name="embedding")

    assert (config.text_column, config.output_column_name) == ("text", "embedding")


@pytest.mark.parametrize("module", ["engine.inferences.x", "shared.no", "shared.collection.features.mine"])
def test_no_other_module_is_made_up(module: str) -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(module)


class Credits(IntEnum):
    PER_1K_TOKENS = 1


def test_an_engine_style_definition_is_held_as_written() -> None:
    index = VectorIndex(
        description="Dense vector embedding",
        dimensions=1024,
        type=VectorType.DENSE,
        distance="Cosine",
        inference_service_id="intfloat/multilingual-e5-large-instruct",
    )
    definition = FeatureExtractorModel(
        feature_extractor_name="mine",
        version="v1",
        description="Mine",
        icon="wand-2",
        input_schema=Parameters,
        required_vector_indexes=[
            VectorIndexDefinition(
                name="mine", description="Dense embedding vector", type="single", index=index
            )
        ],
        costs=CostsInfo(
            tier=1,
            tier_label="SIMPLE",
            rates=[CostRate(unit=CostUnit.TOKENS_1K, credits_per_unit=Credits.PER_1K_TOKENS)],
        ),
        of_later_versions=True,
    )

    assert definition.input_schema is Parameters
    assert (index.name, index.distance) == ("intfloat__multilingual_e5_large_instruct", "cosine")
    assert definition.model_dump()["of_later_versions"] is True
    assert ExtractorDefinition(name="mine", version="v1", extractor_function_path=len).extractor_function_path


@pytest.mark.parametrize(
    ("make", "want"),
    [
        (lambda: VectorIndex(description="x", type="dense"), "dimensions are required"),
        (lambda: VectorIndex(description="x", type="dense", dimensions=0), "greater than or equal to 1"),
        (lambda: CostsInfo(tier=6, tier_label="X"), "less than or equal to 5"),
        (lambda: CostRate(unit="hour", credits_per_unit=1), "minute"),
    ],
    ids=["no dimensions", "no dimension", "a tier too many", "an unknown unit"],
)
def test_a_definition_that_the_platform_refuses_is_refused(make: Callable[[], Any], want: str) -> None:
    with pytest.raises(ValidationError, match=want):
        make()
