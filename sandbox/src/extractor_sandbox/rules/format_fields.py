"""C06: the fields of format strings, which read attributes as code does."""

import ast
import re
import string
from collections.abc import Iterator

from extractor_sandbox import reach
from extractor_sandbox.finding import Problem, rule
from extractor_sandbox.source import Source

_PIECE = re.compile(r"\{([^{}:!]*)")
_FRAME = re.compile(rf"\.(?:{'|'.join(sorted(reach.FRAMES))})\b")
_ATTRIBUTE = re.compile(rf"\.(__\w*|{'|'.join(sorted(reach.FRAMES))})(?=[.\[]|\Z)")


@rule("C06", "Pass the value itself to format.")
def formats_read_no_dunder_attribute(source: Source) -> Iterator[Problem]:
    """Format strings read no dunder attribute, frame or code object (`"{0.__init__}"`), in one piece or put
    together."""
    fields = found = False
    for constant in source.each(ast.Constant):
        text = constant.value.decode("latin-1") if isinstance(constant.value, bytes) else constant.value
        if isinstance(text, str) and "{" in text:
            fields = True
            if attribute := _find_attribute(text):
                found = True
                yield source.problem(constant, f"a format string reads the attribute {attribute}")
    # What is wrong with a part need not be said of the whole.
    for node, text in source.texts.composed if fields and not found else ():
        if attribute := _find_attribute(text):
            yield source.problem(node, f"a format string reads the attribute {attribute}")


def _find_attribute(text: str) -> str | None:
    """Name the first attribute that a format string, or the beginning of one, must not read."""
    if "._" not in text and not _FRAME.search(text):
        return None
    return next((found[1] for field in _fields(text) if (found := _ATTRIBUTE.search(field))), None)


def _fields(text: str, depth: int = 2) -> Iterator[str]:
    """Give what stands in the braces, and in those within them (`"{0:{1}}"`), as deep as Python reads."""
    try:
        for _, field, specification, _ in string.Formatter().parse(text):
            yield field or ""
            if specification and depth > 1:
                yield from _fields(specification, depth - 1)
    except ValueError:
        # Half a format string, or none: the other half may stand elsewhere.
        yield from _PIECE.findall(text)


RULES = (formats_read_no_dunder_attribute,)
