"""What an extractor says of itself in code, under the name that archives import."""

from extractor_runtime.sdk.definitions import CostsInfo, ExtractorDefinition, FeatureExtractorModel

__all__ = ["CostsInfo", "ExtractorDefinition", "FeatureExtractorModel"]
