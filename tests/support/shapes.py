"""Places where the statements and expressions of a program may stand, and ways that a module may go.

A rule that judges what code does, not where, says the same of all of them.
"""

import ast
from collections.abc import Mapping

from support.rewriting import Files, Fill, Transformation, core, imported, plain_imports, renamed, split

_AROUND_STATEMENTS = {
    "in a function": "def wrapped():\n    BODY",
    "in an async function": "async def wrapped():\n    BODY",
    "in a nested function": "def outer():\n    def inner():\n        BODY\n    inner()",
    "in a class": "class Wrapped:\n    BODY",
    "in a method": "class Wrapped:\n    def method(self):\n        BODY",
    "in a class method": "class Wrapped:\n    @classmethod\n    def method(cls):\n        BODY",
    "in a try": "try:\n    BODY\nexcept Exception:\n    pass",
    "in an except": "try:\n    first()\nexcept Exception:\n    BODY",
    "in a finally": "try:\n    first()\nfinally:\n    BODY",
    "in the else of a try": "try:\n    first()\nexcept Exception:\n    pass\nelse:\n    BODY",
    "in an except*": "try:\n    first()\nexcept* ValueError:\n    BODY",
    "in an if": "if flag:\n    BODY",
    "in an else": "if flag:\n    pass\nelse:\n    BODY",
    "in an if that is never true": "if False:\n    BODY",
    "under TYPE_CHECKING": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    BODY",
    "in a with": "with context() as entered:\n    BODY",
    "in a for": "for each in things:\n    BODY",
    "in the else of a while": "while flag:\n    pass\nelse:\n    BODY",
    "in a match": "match thing:\n    case {'a': [1, *_]} if flag:\n        BODY",
    "behind a return": "def wrapped():\n    return 1\n    BODY",
    "behind the main guard": "if __name__ == '__main__':\n    BODY",
}
_AROUND_EXPRESSIONS = {
    "in a lambda": "(lambda: EXPR)()",
    "in a lambda's default": "(lambda x=EXPR: x)()",
    "in a list comprehension": "[EXPR for each in (1,)]",
    "in a comprehension's condition": "[each for each in (1,) if EXPR]",
    "in a comprehension's source": "{each for each in EXPR}",
    "in a generator": "list((EXPR for each in (1,)))",
    "in a dict comprehension": "{each: EXPR for each in (1,)}",
    "in a default": "def wrapped(x=EXPR):\n    pass",
    "in a keyword default": "def wrapped(*, x=EXPR):\n    pass",
    "in a decorator": "@wrap(EXPR)\ndef wrapped():\n    pass",
    "as a decorator": "@EXPR\nclass Wrapped:\n    pass",
    "as a base": "class Wrapped(EXPR):\n    pass",
    "as a metaclass": "class Wrapped(metaclass=EXPR):\n    pass",
    "in an f-string": "f'{EXPR!r:>10} text'",
    "in an f-string's width": "f'{1:{EXPR}}'",
    "in a walrus": "(walrus := EXPR)",
    "in an assignment": "x = y = EXPR",
    "in an annotated assignment": "x: int = EXPR",
    "in an unpacking": "[x, *y] = (EXPR, 1, 2)",
    "in a subscript": "things[EXPR:]",
    "in a target's subscript": "things[EXPR] = 1",
    "in a deletion": "del things[EXPR]",
    "in a star": "print(*EXPR)",
    "in a double star": "print(**EXPR)",
    "in a keyword": "call(key=EXPR)",
    "in a dict": "{'key': EXPR, **things}",
    "in a condition": "x = 1 if EXPR else 2",
    "in a comparison": "0 < EXPR <= 2",
    "in a boolean": "flag and (not EXPR)",
    "in an assertion": "assert True, EXPR",
    "in a raise": "raise ValueError(EXPR) from EXPR",
    "in a return": "def wrapped():\n    return EXPR",
    "in a yield": "def wrapped():\n    yield EXPR\n    yield from EXPR",
    "in an await": "async def wrapped():\n    await EXPR",
    "in a with's head": "with EXPR as entered:\n    pass",
    "in a while's head": "while EXPR:\n    break",
    "in a match's subject": "match EXPR:\n    case _:\n        pass",
    "in a match's guard": "match thing:\n    case _ if EXPR:\n        pass",
    "in an except's type": "try:\n    pass\nexcept EXPR:\n    pass",
    "in an augmented assignment": "x = 1\nx += EXPR",
    "in an annotation": "x: EXPR",
}

_CARRIED = {
    "through an assignment": "carried = MODULE\nREST",
    "through two assignments": "first = MODULE\ncarried = first\nREST",
    "through a tuple": "(carried, other) = (MODULE, 1)\nREST",
    "through a list with a star": "[other, *carried] = [1, MODULE]\n[carried] = carried\nREST",
    "through a swap": "other = MODULE\ncarried = None\n(carried, other) = (other, carried)\nREST",
    "through a loop": "for carried in (MODULE,):\n    REST",
    "through a comprehension's name": "[carried] = [each for each in [MODULE]]\nREST",
    "through a walrus": "if (carried := MODULE):\n    REST",
    "through a condition": "carried = MODULE if flag else None\nREST",
    "through an or": "carried = None or MODULE\nREST",
    "through a dict": "carried = {'key': MODULE}['key']\nREST",
    "through a dict's method": "carried = {'key': MODULE}.get('key')\nREST",
    "through a lambda": "carried = (lambda: MODULE)()\nREST",
    "through a function": "def give():\n    return MODULE\ncarried = give()\nREST",
    "through a generator": "def give():\n    yield MODULE\ncarried = next(give())\nREST",
    "through a default": "def wrapped(carried=MODULE):\n    REST",
    "through an argument": "def wrapped(carried):\n    REST\nwrapped(MODULE)",
    "through a keyword argument": "def wrapped(*, carried):\n    REST\nwrapped(carried=MODULE)",
    "through a class's attribute": "class Holder:\n    held = MODULE\ncarried = Holder.held\nREST",
    "through an object's attribute": "thing.held = MODULE\ncarried = thing.held\nREST",
    "through a match": "match MODULE:\n    case carried:\n        REST",
    "through a with": "import contextlib\nwith contextlib.nullcontext(MODULE) as carried:\n    REST",
    "through a global": "def bind():\n    global carried\n    carried = MODULE\nbind()\nREST",
    "through an augmented assignment": "carried = []\ncarried += [MODULE]\ncarried = carried[0]\nREST",
    "through a subscript": "things['key'] = MODULE\ncarried = things['key']\nREST",
    "through a partial": "import functools\ncarried = functools.partial(lambda x: x, MODULE)()\nREST",
    "through a getattr": "thing.held = MODULE\ncarried = getattr(thing, 'held')\nREST",
}


def _around_statements(template: str) -> Transformation:
    def apply(module: ast.Module) -> Files | None:
        return core(Fill("BODY", module.body).visit(ast.parse(template)))

    return apply


def _around_expressions(template: str) -> Transformation:
    def apply(module: ast.Module) -> Files | None:
        body: list[ast.stmt] = []
        for statement in module.body:
            if isinstance(statement, ast.Expr):
                body += Fill("EXPR", statement.value).visit(ast.parse(template)).body
            else:
                body.append(statement)
        try:
            return core(ast.Module(body, [])) if body != module.body else None
        except ValueError:
            return None  # Before Python 3.12 no f-string holds a backslash.

    return apply


def _carry(template: str) -> Transformation:
    def apply(module: ast.Module) -> Files | None:
        imports, rest = split(module)
        names = imported(module)
        if len(names) != 1 or not rest or any("." in name for _, name in plain_imports(module)):
            return None
        shaped = Fill("MODULE", ast.Name(names[0], ast.Load())).visit(ast.parse(template))
        body = renamed(ast.Module(rest, []), {names[0]: "carried"}).body
        return core(ast.Module([*imports, *Fill("REST", body).visit(shaped).body], []))

    return apply


BLOCKS: Mapping[str, Transformation] = {
    name: _around_statements(template) for name, template in _AROUND_STATEMENTS.items()
}
PLACES: Mapping[str, Transformation] = {
    name: _around_expressions(template) for name, template in _AROUND_EXPRESSIONS.items()
}
CARRIERS: Mapping[str, Transformation] = {name: _carry(template) for name, template in _CARRIED.items()}
"""Not all of them can be followed, and some are refused for themselves."""
