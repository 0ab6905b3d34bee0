"""Text is UTF-8, or it is said where it is not."""

from extractor_runtime.sources.errors import SourceError


def decode(content: bytes, name: str, line: int = 1) -> str:
    """Decode what begins at a line of a file; raise SourceError with the line that is not UTF-8."""
    try:
        return content.decode()
    except UnicodeDecodeError as err:
        number = line + content.count(b"\n", 0, err.start)
        column = err.start - content.rfind(b"\n", 0, err.start)
        byte = f"byte 0x{content[err.start]:02x}, column {column}"
        raise SourceError(f"{name} line {number}: not valid UTF-8 ({byte}); save the file as UTF-8") from None
