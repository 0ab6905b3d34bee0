"""C10: what other libraries load that can hold code."""

import ast
from collections.abc import Iterator

from extractor_sandbox import loaders, reach
from extractor_sandbox.finding import Problem, rule
from extractor_sandbox.loaders import LoaderCall
from extractor_sandbox.program import Program
from extractor_sandbox.rules import flags
from extractor_sandbox.scopes import Link, outside_paths
from extractor_sandbox.source import Source

_FLAGS = {"weights_only": True, "allow_pickle": False}
_UNSAFE_TORCH = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"
_SAFE_LOADERS = {
    *("yaml.SafeLoader", "yaml.CSafeLoader"),
    *("yaml.loader.SafeLoader", "yaml.cyaml.CSafeLoader"),
}
_WEIGHTS = ("torch.load", "torch.serialization.load")


@rule("C10", "Keep weights in safetensors and data in .npy, JSON or Parquet.")
def loaders_are_safe(source: Source) -> Iterator[Problem]:
    """Nothing is loaded that can hold code: `weights_only` is True and `allow_pickle` False wherever they are
    named, YAML has a safe loader, and the parts of libraries that load pickles or native code, or start
    processes, are refused (`torch.hub`, `pandas.read_pickle`, `numpy.ctypeslib`, …). `torch.load` without
    the keyword is a warning: the platform's torch has it by default."""
    yield from flags.judge(source, _FLAGS)
    for constant in source.each(ast.Constant):
        if constant.value == _UNSAFE_TORCH:
            message = f"names {_UNSAFE_TORCH}, which makes torch.load unsafe"
            yield source.problem(constant, message, "Leave it out.")
    yield from _judge_handed(source)


@rule("C10", loaders_are_safe.advice)
def loaders_are_called_safely(program: Program) -> Iterator[Problem]:
    """Loaders are called with arguments that keep code out."""
    yield from (problem for fault, problem in program.faults if fault.rule == "C10")
    for file, path, call, yaml_loaders in program.loader_calls:
        fault = _judge_loader(path, call, yaml_loaders)
        if fault:
            yield Problem(fault[0], file, call.line, call.column, fault[1])
        elif path in _WEIGHTS and "weights_only" not in call.keywords:
            message = f"{path} does not say weights_only=True"
            advice = "Say it: older versions load any pickle."
            yield Problem(message, file, call.line, call.column, advice, severity="warn")


def _judge_handed(source: Source) -> Iterator[Problem]:
    """Judge loaders that others call: in ``partial(numpy.load, path, None, True)`` what follows is theirs."""
    names = {
        name
        for scope in source.scope.opened
        for name, refs in scope.names.items()
        if any((ref.attributes[-1] if ref.attributes else ref.name) in loaders.NAMES for ref in refs)
    }
    if not names and loaders.NAMES.isdisjoint(source.attributes):
        return
    for call, scope in source.scoped(ast.Call):
        for place, handed in enumerate(call.args, start=1):
            is_loader = (isinstance(handed, ast.Name) and handed.id in names) or (
                isinstance(handed, ast.Attribute) and handed.attr in loaders.NAMES
            )
            if not is_loader:
                continue
            paths = outside_paths(handed, scope)
            inner = ast.copy_location(ast.Call(handed, call.args[place:], call.keywords), call)
            for path in sorted(paths & loaders.PATHS - reach.ONLY_CALLED):
                described = loaders.describe(inner, Link((), path, (), True), lambda node: ())
                if fault := _judge_loader(path, described, set()):
                    yield source.problem(call, *fault)


def _judge_loader(path: str, call: LoaderCall, yaml_loaders: set[str]) -> tuple[str, str] | None:
    """Say what is wrong with a loader's arguments, and what to write."""
    if path.startswith("yaml."):
        is_safe = yaml_loaders and yaml_loaders <= _SAFE_LOADERS and not call.is_open
        return None if is_safe else (f"{path} without SafeLoader", "Use yaml.safe_load.")
    if call.is_open:
        return f"{path} gets arguments that are not seen", "Write the arguments out."
    if call.positional > _POSITIONAL.get(path, call.positional):
        return f"{path} gets allow_pickle by position", "Write allow_pickle=False, or leave it out."
    return None


_POSITIONAL = {
    **{"numpy.load": 2, "numpy.lib.npyio.load": 2, "numpy.lib.npyio.NpzFile": 2},
    "numpy.lib.format.read_array": 1,
}
"""How many arguments come before `allow_pickle`."""

RULES = (loaders_are_safe,)
ARCHIVE_RULES = (loaders_are_called_safely,)
