"""What authors call from their processors, under the name that archives import."""

from extractor_runtime.sdk.assets import download_asset, open_asset
from extractor_runtime.sdk.concurrency import concurrent_api_calls, parallel_io
from extractor_runtime.sdk.tools import run_tool

__all__ = ["concurrent_api_calls", "download_asset", "open_asset", "parallel_io", "run_tool"]
