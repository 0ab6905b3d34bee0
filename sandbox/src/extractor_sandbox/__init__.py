"""Read hostile archives: `scan` one in a process of its own, `pack` a folder into one.

Names are resolved when they are first asked for: the worker is a module of this package, and must not
import pydantic (0.2 s) to get started.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractor_sandbox.folder import PackError, pack
    from extractor_sandbox.outcome import ScanError
    from extractor_sandbox.report import scan
    from extractor_sandbox.rules import RULES, RULESET

__all__ = ["RULES", "RULESET", "PackError", "ScanError", "pack", "scan"]

_HOMES = {"PackError": "folder", "pack": "folder", "ScanError": "outcome", "scan": "report"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'rules')}"), name)
