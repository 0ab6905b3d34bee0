"""The pipeline builders, under the name that archives import."""

from extractor_runtime.sdk.builders import BaseExtractorBuilder, DatasetPreparationBuilder, InputFieldType

__all__ = ["BaseExtractorBuilder", "DatasetPreparationBuilder", "InputFieldType"]
