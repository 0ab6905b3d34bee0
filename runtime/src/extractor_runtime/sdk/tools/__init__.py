"""The media programs that an author's code may run: `run_tool`, with arguments only, inside limits."""

from extractor_runtime.sdk.tools.errors import ToolError
from extractor_runtime.sdk.tools.run import ToolResult, run_tool

__all__ = ["ToolError", "ToolResult", "run_tool"]
