"""Broken and strange inputs made of good ones; the same ones for the same seed."""

import ast
import io
import random
import tokenize
from collections.abc import Callable, Iterator, Sequence

_WORDS = (
    *("lambda", "yield", "await", "async", "match", "case", "type", "def", "class", "import", "from", "as"),
    *("global", "nonlocal", "del", "with", "for", "in", "if", "else", "try", "except", "except*", "finally"),
    *("return", "not", "is", "and", "None", "__debug__", "print", "os", "eval", "self", "x", ":=", "->"),
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        ".",
        "=",
        "==",
        "*",
        "**",
        "@",
        "@=",
        "|",
        "\\\n",
        "\n",
        "\n    ",
    ),
    *(
        "0x" + "f" * 400,
        "9" * 4_000,
        "1e999",
        "0j",
        "1_0",
        "0o7",
        "...",
        "''",
        'b"\\xff"',
        "r'\\'",
        '"""',
        "f'",
    ),
    *(
        "f'{x!r:>{y}}'",
        "f'{{}}'",
        "f'{x=}'",
        "# type: ignore",
        "# coding: utf-7",
        ";",
        "\t",
        "\f",
        "\r",
        "\x00",
    ),
)
_BYTES = (
    b"\x00",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
    b"\xef\xbb\xbf",
    b"\x1a",
    b"\r",
    b"\\",
    b"\xc2\x85",
)
_SYNTAX = (
    "type Alias[T: (int, str), *Ts, **P] = list[T]\n",
    "def f[T](x: T = 1, /, *, y: 'T' = 2) -> T: return x\n",
    "class A[T](Generic[T], metaclass=M): x: T\n",
    "x = f'{f'{f'{1}'}'}'\n",
    "x = f'{'a' if y else \"b\"!r:{w}.{p}}'\n",
    "match x:\n    case {'a': [1, *rest], **more} | A(b=c) if d: pass\n    case 1 | -2j | None | a.b: pass\n",
    "try: pass\nexcept* (A, B) as e: pass\n",
    "async def f():\n    async with a as b, c: pass\n    async for x in y: yield [z async for z in x]\n",
    "@(lambda f: f)\ndef f(): ...\n",
    "with (a as b, c as d): pass\n",
    "def f():\n    nonlocal x\n",
    "x: int; (y): str = 1; a.b: int\n",
    "*a, b = c = d\n",
    "print(*a, **b, c=d)\n",
    "lambda *a, b=1, **c: (yield)\n",
    "x = (y := 1, *z)[::2, ...]\n",
    "from . import *\n",
    "from __future__ import annotations, division\n",
    "del (a, [b]), c[0]\n",
    "return\n",
    "'\\N{LATIN SMALL LETTER A}\\ud800'\n",
    "x = 'a' 'b' b'c'\n",
    "x = 0777\n",
    "x = 1if 1else 2\n",
)


def mutate_source(source: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Break a Python file in one of several ways, by bytes, tokens or nodes."""
    mutant: bytes = chance.choice(_SOURCE_WAYS)(source, others, chance)
    return mutant


def mutate_bytes(content: bytes, chance: random.Random) -> bytes:
    """Change, add, take away, repeat or move bytes."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        start, stop = sorted(chance.randrange(len(changed) + 1) for _ in range(2))
        match chance.randrange(7):
            case 0 if changed:
                changed[chance.randrange(len(changed))] = chance.randrange(256)
            case 1 if changed:
                changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
            case 2:
                changed[start:start] = chance.choice(_BYTES)
            case 3:
                del changed[start : min(stop, start + 40)]
            case 4:
                changed[start:start] = changed[start : min(stop, start + 40)]
            case 5 if len(changed) > 8:
                # Lengths and offsets are numbers of two, four or eight bytes.
                size, place = chance.choice((2, 4, 8)), chance.randrange(len(changed) - 8)
                number = chance.choice(
                    (0, 1, 0x7F, (1 << 8 * size) - 1, 1 << 8 * size - 1, chance.getrandbits(8))
                )
                changed[place : place + size] = number.to_bytes(size, chance.choice(("little", "big")))
            case _:
                del changed[stop:]
                changed += content[start:]
    return bytes(changed)


def _by_bytes(source: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    return mutate_bytes(source, chance)


def _by_tokens(source: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Replace, repeat, drop or exchange tokens."""
    tokens = _tokens(source)
    for _ in range(chance.randint(1, 8)):
        if not tokens:
            break
        place = chance.randrange(len(tokens))
        match chance.randrange(4):
            case 0:
                tokens[place] = chance.choice(_WORDS)
            case 1:
                tokens.insert(place, chance.choice(_WORDS))
            case 2:
                tokens[place : place + chance.randint(1, 5)] = []
            case 3:
                tokens[place] = chance.choice(tokens)
    return " ".join(tokens).encode()


def _by_nodes(source: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Put expressions, and statements, of some files in the places of others."""
    tree, lender = ast.parse(source), ast.parse(chance.choice(others))
    expressions = [node for node in ast.walk(lender) if isinstance(node, ast.expr)] or [ast.Constant(1)]
    statements = [node for node in ast.walk(lender) if isinstance(node, ast.stmt)] or [ast.Pass()]

    class Exchange(ast.NodeTransformer):
        def generic_visit(self, node: ast.AST) -> ast.AST:
            super().generic_visit(node)
            if isinstance(node, ast.expr) and chance.random() < 0.05:
                return chance.choice(expressions)
            if isinstance(node, ast.stmt) and chance.random() < 0.1:
                return chance.choice(statements)
            return node

    try:
        return ast.unparse(ast.fix_missing_locations(Exchange().visit(tree))).encode()
    except (ValueError, TypeError, AttributeError, RecursionError):
        return _by_tokens(source, others, chance)  # Not every tree can be written down.


def _by_syntax(source: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Add what is seldom written, or only in a newer Python."""
    lines = source.splitlines(keepends=True)
    for _ in range(chance.randint(1, 4)):
        lines.insert(chance.randrange(len(lines) + 1), chance.choice(_SYNTAX).encode())
    return b"".join(lines)


def _by_size(source: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Nest, repeat or lengthen one thing a great deal."""
    count = chance.choice((30, 99, 150, 450, 2_000, 20_000))
    opened, middle, closed = chance.choice(_NESTS)
    nest = opened * count + middle + closed * count
    return source + b"\nx = " + nest.encode() + b"\n" + chance.choice(others)[: chance.randrange(200)]


def _by_depth(source: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Indent blocks into each other."""
    head = chance.choice(
        ("if x:", "def f():", "class A:", "for a in b:", "with a:", "try:", "while a:", "match a:")
    )
    depth = chance.choice((18, 60, 99, 150, 300))
    blocks = "".join(" " * level + head + "\n" for level in range(depth))
    return (blocks + " " * depth + "pass\n").encode() + (source if chance.random() < 0.5 else b"")


_NESTS = (
    *(
        ("(", "1", ")"),
        ("[", "", "]"),
        ("{1:", "1", "}"),
        ("-", "1", ""),
        ("not ", "1", ""),
        ("lambda: ", "1", ""),
    ),
    *(
        ("1+", "1", ""),
        ("", "x", ".y"),
        ("", "x", "()"),
        ("", "x", "[0]"),
        ("await ", "x", ""),
        ("*", "x", ""),
    ),
    *(("1 if 1 else ", "1", ""), ("a and ", "1", ""), ("a < ", "1", ""), ("f(", "1", ")"), ("a = ", "1", "")),
    *(
        ("f'{", "1", "}'"),
        ("[x for x in ", "y", "]"),
        ("2**", "2", ""),
        ("1<<", "1", ""),
        ("'a' ", "'b'", ""),
    ),
    *(
        ("x, ", "1", ""),
        ("9", "9", "9"),
        ("a", "b", "c"),
        ("'" + "a", "", "b" + "'"),
        ("\\\n", "1", ""),
        ("~", "1", ""),
    ),
    *(
        ("x[", "1", ":]"),
        ("f'", "{x}", "'"),
        ("(yield ", "1", ")"),
        ("(a := ", "1", ")"),
        ("print(*", "x", ")"),
    ),
)
_SOURCE_WAYS: tuple[Callable[[bytes, Sequence[bytes], random.Random], bytes], ...] = (
    *(_by_bytes, _by_bytes, _by_tokens, _by_tokens, _by_tokens, _by_nodes, _by_nodes, _by_nodes),
    *(_by_syntax, _by_syntax, _by_size, _by_depth),
)


def _tokens(source: bytes) -> list[str]:
    def read() -> Iterator[str]:
        try:
            for each in tokenize.tokenize(io.BytesIO(source).readline):
                if each.type != tokenize.ENCODING:
                    yield each.string
        except (tokenize.TokenError, SyntaxError):
            return

    return list(read())
