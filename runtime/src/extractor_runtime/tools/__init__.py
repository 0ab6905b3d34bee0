"""The media programs that an author's code may run: `run_tool`, with arguments only, inside limits."""

from extractor_runtime.tools.errors import ToolError
from extractor_runtime.tools.run import ToolResult, run_tool

__all__ = ["ToolError", "ToolResult", "run_tool"]
