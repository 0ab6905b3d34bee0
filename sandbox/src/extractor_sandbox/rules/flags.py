"""Keywords of loaders that have one safe value."""

import ast
from collections.abc import Iterator

from extractor_sandbox.finding import Problem
from extractor_sandbox.source import Source


def judge(source: Source, flags: dict[str, bool]) -> Iterator[Problem]:
    """Judge flags, given with their safe values, wherever they are named: as keywords, as keys, and as
    strings that may become keys."""
    for keyword in source.each(ast.keyword):
        if keyword.arg in flags and not is_literally(keyword.value, flags[keyword.arg]):
            yield _describe_flag(source, keyword, keyword.arg, flags[keyword.arg])
    named: list[tuple[ast.expr, str]] = [
        *((each, str(each.value)) for each in source.each(ast.Constant) if each.value in flags),
        *((each, text) for each, text in source.texts.composed if text in flags),
    ]
    if named:
        harmless = _find_harmless_names(source, flags)
        for node, name in named:
            if id(node) not in harmless:
                yield _describe_flag(source, node, name, flags[name])


def is_literally(node: ast.expr, value: bool | None) -> bool:
    """Tell whether an expression is True, False or None, written out."""
    return isinstance(node, ast.Constant) and node.value is value


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
    safe = (
        key for key, value in pairs if key and is_literally(value, flags.get(source.texts.fold(key) or ""))
    )
    return {id(node) for node in (*asked, *safe)}


def _describe_flag(source: Source, node: ast.AST, name: str, safe: bool) -> Problem:
    return source.problem(node, f"{name} is not literally {safe}", f"Write {name}={safe}, or leave it out.")
