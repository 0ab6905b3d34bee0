"""C09 to C11: what other libraries offer to run what is data."""

import ast
from collections.abc import Iterator

from extractor_sandbox.finding import Problem, rule
from extractor_sandbox.loaders import LoaderCall
from extractor_sandbox.program import Program
from extractor_sandbox.scopes import literal_getattr
from extractor_sandbox.source import Source

_VERBS = {"eval", "query"}
_SUSPICIOUS = ("@", "__", "(")
_FLAGS = {"weights_only": ("C10", True), "allow_pickle": ("C10", False), "trust_remote_code": ("C11", False)}
"""Keywords that have one safe value."""
_UNSAFE_TORCH = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"
_SAFE_LOADERS = {
    *("yaml.SafeLoader", "yaml.CSafeLoader"),
    *("yaml.loader.SafeLoader", "yaml.cyaml.CSafeLoader"),
}
_WEIGHTS = ("torch.load", "torch.serialization.load")


@rule("C09", "Compare columns by name and number in it, or compute with pandas' own operators.")
def expressions_are_plain(source: Source) -> Iterator[Problem]:
    """pandas runs the strings that are given to `eval` and `query` as code. They hold names and operators: no
    `@`, no `__`, no calls. `pandas.eval` and PIL's ImageMath are refused as a whole."""
    texts, verbs = _find_assigned(source)
    for call in source.each(ast.Call):
        name = literal_getattr(call.func) if isinstance(call.func, ast.Call) else None
        is_verb = name in _VERBS or (
            call.func.attr in _VERBS
            if isinstance(call.func, ast.Attribute)
            else isinstance(call.func, ast.Name) and call.func.id in verbs
        )
        if is_verb:
            for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
                found = next((text for text in _texts(argument, texts) if _is_suspicious(text)), None)
                if found is not None:
                    yield source.problem(argument, "an expression for eval or query holds @, __ or (")


@rule("C09", expressions_are_plain.advice)
def evaluators_are_left_alone(program: Program) -> Iterator[Problem]:
    """Functions that evaluate strings are not used."""
    return (problem for fault, problem in program.faults if fault.rule == "C09")


@rule("C10", "Keep weights in safetensors and data in .npy, JSON or Parquet.")
def loaders_are_safe(source: Source) -> Iterator[Problem]:
    """Nothing is loaded that can hold code: `weights_only` is True and `allow_pickle` False wherever they are
    named, YAML has a safe loader, and the parts of libraries that load pickles or native code, or start
    processes, are refused (`torch.hub`, `pandas.read_pickle`, `numpy.ctypeslib`, …). `torch.load` without
    the keyword is a warning: the platform's torch has it by default."""
    yield from _judge_flags(source, "C10")
    for constant in source.each(ast.Constant):
        if constant.value == _UNSAFE_TORCH:
            message = f"names {_UNSAFE_TORCH}, which makes torch.load unsafe"
            yield source.problem(constant, message, "Leave it out.")


@rule("C10", loaders_are_safe.advice)
def loaders_are_called_safely(program: Program) -> Iterator[Problem]:
    """Loaders are called with arguments that keep code out."""
    yield from (problem for fault, problem in program.faults if fault.rule == "C10")
    for file, path, call, loaders in program.loader_calls:
        fault = _judge_loader(path, call, loaders)
        if fault:
            yield Problem(fault[0], file, call.line, call.column, fault[1])
        elif path in _WEIGHTS and "weights_only" not in call.keywords:
            message = f"{path} does not say weights_only=True"
            advice = "Say it: older versions load any pickle."
            yield Problem(message, file, call.line, call.column, advice, severity="warn")


@rule("C11", "Write trust_remote_code=False, or leave it out: use a model whose code is part of the library.")
def remote_code_is_not_trusted(source: Source) -> Iterator[Problem]:
    """A model's own code would be fetched and run, which nobody has scanned: `trust_remote_code` is literally
    False wherever it is named, as a keyword, in a dict or as a field."""
    yield from _judge_flags(source, "C11")
    for target, value, scope in source.assignments:
        name = target.id if isinstance(target, ast.Name) and scope.is_class else getattr(target, "attr", None)
        if name == "trust_remote_code" and not _is_literally(value, False):
            yield source.problem(target, "the field trust_remote_code is not literally False")


@rule("C11", remote_code_is_not_trusted.advice)
def remote_code_is_not_loaded(program: Program) -> Iterator[Problem]:
    """What loads remote code is not used."""
    return (problem for fault, problem in program.faults if fault.rule == "C11")


def _find_assigned(source: Source) -> tuple[dict[str, list[str]], set[str]]:
    """Find names that stand for strings, and names that stand for ``frame.query``."""
    texts: dict[str, list[str]] = {}
    verbs = set()
    for target, value, _ in source.assignments:
        match target, value:
            case ast.Name(id=name), ast.Constant(value=str(text)):
                texts.setdefault(name, []).append(text)
            case ast.Name(id=name), ast.Attribute(attr=attribute) if attribute in _VERBS:
                verbs.add(name)
    return texts, verbs


def _texts(argument: ast.expr, assigned: dict[str, list[str]]) -> Iterator[str]:
    """Give all strings that an argument is made of, as far as they can be seen."""
    for node in ast.walk(argument):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Name):
            yield from assigned.get(node.id, ())
    yield from filter(None, [fold_text(argument)])


def _is_suspicious(text: str) -> bool:
    return any(mark in text for mark in _SUSPICIOUS)


def fold_text(node: ast.expr) -> str | None:
    """Join a sum of literal strings."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            one, other = fold_text(left), fold_text(right)
            return None if one is None or other is None else one + other
    return None


def _judge_flags(source: Source, rule_id: str) -> Iterator[Problem]:
    """Judge the flags wherever they are named: as keywords, as keys, and as strings that may become keys."""
    flags = {name: safe for name, (found, safe) in _FLAGS.items() if found == rule_id}
    for keyword in source.each(ast.keyword):
        if keyword.arg in flags and not _is_literally(keyword.value, flags[keyword.arg]):
            yield _describe_flag(source, keyword, keyword.arg, flags[keyword.arg])
    named: list[tuple[ast.expr, str]] = [
        *((each, each.value) for each in source.each(ast.Constant) if each.value in flags),
        *((each, text) for each in source.each(ast.BinOp) if (text := fold_text(each)) in flags and text),
    ]
    if named:
        harmless = _find_harmless_names(source, flags)
        for node, name in named:
            if id(node) not in harmless:
                yield _describe_flag(source, node, name, flags[name])


def _find_harmless_names(source: Source, flags: dict[str, bool]) -> set[int]:
    """Find where a flag's name is a string that sets it to its safe value, or only asks for it."""
    pairs: list[tuple[ast.expr | None, ast.expr]] = []
    asked: list[ast.expr] = []
    for mapping in source.each(ast.Dict):
        pairs += zip(mapping.keys, mapping.values, strict=True)
    for assignment in source.each(ast.Assign):
        slices = (each.slice for each in assignment.targets if isinstance(each, ast.Subscript))
        pairs += ((each, assignment.value) for each in slices)
    for subscript in source.each(ast.Subscript):
        if not isinstance(subscript.ctx, ast.Store):
            asked.append(subscript.slice)
    for comparison in source.each(ast.Compare):
        asked += (comparison.left, *comparison.comparators)
    for call in source.each(ast.Call):
        match call:
            case ast.Call(func=ast.Attribute(attr="get" | "pop"), args=[name, *_]):
                asked.append(name)
            case ast.Call(func=ast.Name(id="getattr" | "hasattr"), args=[_, name, *_]):
                asked.append(name)
            case ast.Call(func=ast.Attribute(attr="setdefault"), args=[name, value]):
                pairs.append((name, value))
    safe = (key for key, value in pairs if key and _is_literally(value, flags.get(fold_text(key) or "")))
    return {id(node) for node in (*asked, *safe)}


def _is_literally(node: ast.expr, value: bool | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _describe_flag(source: Source, node: ast.AST, name: str, safe: bool) -> Problem:
    return source.problem(node, f"{name} is not literally {safe}", f"Write {name}={safe}, or leave it out.")


def _judge_loader(path: str, call: LoaderCall, loaders: set[str]) -> tuple[str, str] | None:
    """Say what is wrong with a loader's arguments, and what to write."""
    if path.startswith("yaml."):
        is_safe = loaders and loaders <= _SAFE_LOADERS and not call.is_open
        return None if is_safe else (f"{path} without SafeLoader", "Use yaml.safe_load.")
    if call.is_open:
        return f"{path} gets arguments that are not seen", "Write the arguments out."
    if call.positional > _POSITIONAL.get(path, call.positional):
        return f"{path} gets allow_pickle by position", "Write allow_pickle=False, or leave it out."
    return None


_POSITIONAL = {"numpy.load": 2, "numpy.lib.format.read_array": 1}
"""How many arguments come before `allow_pickle`."""

RULES = (expressions_are_plain, loaders_are_safe, remote_code_is_not_trusted)
ARCHIVE_RULES = (evaluators_are_left_alone, loaders_are_called_safely, remote_code_is_not_loaded)
