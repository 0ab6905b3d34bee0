"""Calls of functions that load data, which are safe or not depending on their arguments."""

import ast
from collections.abc import Callable
from typing import NamedTuple

from extractor_sandbox.scopes import Link

PATHS = frozenset(
    (
        *("yaml.load", "yaml.load_all", "torch.load", "torch.serialization.load"),
        *("numpy.load", "numpy.lib.format.read_array", "numpy.lib.npyio.load", "numpy.lib.npyio.NpzFile"),
    )
)
"""Functions that are judged by their arguments."""
NAMES = frozenset(path.rpartition(".")[2] for path in PATHS)


class LoaderCall(NamedTuple):
    """A call of what may be one of the loaders."""

    link: Link
    line: int
    column: int
    positional: int
    keywords: tuple[str, ...]
    is_open: bool
    """Whether some arguments come out of a dict or a list that is not seen."""
    loader: tuple[Link, ...]
    """What YAML's loader may be."""


def describe(call: ast.Call, link: Link, refer: Callable[[ast.expr], tuple[Link, ...]]) -> LoaderCall:
    """Keep of a call what it is judged by; ``refer`` says what an expression may be."""
    positional = [each for each in call.args if not isinstance(each, ast.Starred)]
    keywords = {each.arg: each.value for each in call.keywords if each.arg}
    is_open = len(positional) < len(call.args)
    for each in call.keywords:
        if not each.arg:
            match each.value:
                case ast.Dict(keys=keys, values=values):
                    names = [key.value if isinstance(key, ast.Constant) else None for key in keys]
                    is_open |= not all(isinstance(name, str) for name in names)
                    keywords |= {str(name): value for name, value in zip(names, values, strict=True)}
                case _:
                    is_open = True
    loader = keywords.get("Loader") or (positional[1] if len(positional) > 1 else None)
    return LoaderCall(
        link,
        call.lineno,
        call.col_offset + 1,
        len(positional),
        tuple(sorted(keywords)),
        is_open,
        refer(loader) if isinstance(loader, ast.Name | ast.Attribute) else (),
    )
