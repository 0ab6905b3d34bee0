"""C06: pytest's monkeypatch, which imports and changes what a string names."""

import ast
from collections.abc import Iterator

from extractor_sandbox import reach
from extractor_sandbox.finding import Problem, rule
from extractor_sandbox.source import Source

_VERBS = {"setattr": 3, "delattr": 2}
"""Methods, with how many arguments they have where the first is no string."""


@rule("C06", "Patch the archive's own modules: `monkeypatch.setattr(core, 'name', value)`.")
def patches_stay_inside(source: Source) -> Iterator[Problem]:
    """Tests patch what they name, and what they name by a string is the archive's own: given `"os.system"`,
    monkeypatch would import os."""
    called = set()
    for call in source.each(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr in _VERBS:
            called.add(id(call.func))
            fault = _find_fault(source, call, _VERBS[call.func.attr])
            if fault:
                yield source.problem(call, fault)
    for verb in _VERBS:
        for attribute in source.attributes.get(verb, ()):
            if id(attribute) not in called and isinstance(attribute.ctx, ast.Load):
                yield source.problem(attribute, f"passes {verb} on without calling it")
    for attribute in source.attributes.get("syspath_prepend", ()):
        yield source.problem(attribute, "changes where modules are imported from")


def _find_fault(source: Source, call: ast.Call, arguments: int) -> str | None:
    """Say what is wrong with a call of setattr or delattr."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    values = call.args + [named[name] for name in ("target", "name", "value") if name in named]
    if None in named or any(isinstance(value, ast.Starred) for value in values):
        return "patches what is computed"
    match values:
        case [ast.Constant(value=str(path)), *_] if source.imports.owns(path):
            return None
        case [ast.Constant(value=str(path)), *_]:
            return f"patches {path}, which is not the archive's own"
        case [_, ast.Constant(value=str(name)), *_] if len(values) >= arguments:
            is_special = name.startswith("__") and name not in reach.DUNDERS
            return f"patches the attribute {name}" if is_special else None
    return "patches what is computed"


RULES = (patches_stay_inside,)
