"""What ``build_steps`` is given and ``extract`` returns, under the names that archives import."""

from extractor_runtime.sdk.builders import PipelineStepsAndPrepare
from extractor_runtime.sdk.request import ExtractorRequest

__all__ = ["ExtractorRequest", "PipelineStepsAndPrepare"]
