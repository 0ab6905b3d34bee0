"""What goes wrong with a tool, as a sentence."""

from extractor_apis import errors


class ToolError(errors.ExtractorError):
    """A tool could not be run, or failed: which one, why, and what to do next.

    ``returncode`` and ``stderr`` are those of a tool that ran and failed.
    """

    def __init__(self, message: str, returncode: int | None = None, stderr: bytes = b"") -> None:
        super().__init__(message)
        self.returncode = returncode
        self.stderr = stderr

    def __reduce__(self) -> tuple[type["ToolError"], tuple[str, int | None, bytes]]:
        return ToolError, (str(self), self.returncode, self.stderr)
