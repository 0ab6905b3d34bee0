"""What a unit of work costs, under the name that archives import."""

from extractor_apis.manifest import CostRate, CostUnit

__all__ = ["CostRate", "CostUnit"]
