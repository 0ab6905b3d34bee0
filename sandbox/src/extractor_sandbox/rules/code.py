"""C: the code, imported or not."""

import ast
import io
import re
import tokenize
import unicodedata
from collections.abc import Iterator

from extractor_sandbox import constants, imports
from extractor_sandbox.finding import Problem, Rule, rule
from extractor_sandbox.rules import (
    annotations,
    attributes,
    expressions,
    format_fields,
    patching,
    remote_code,
    secrets,
    unsafe,
)
from extractor_sandbox.source import Source

_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)
_UTF8_NAMES = {b"utf-8", b"utf8", b"utf-8-sig"}
_CONTROL = re.compile("[\0-\x08\x0b\x0e-\x1f\x7f-\x9f]|\r(?!\n)")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_IN_BRACES = re.compile(r"\{([^{}]*)")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_WORD = re.compile("[\\w\x80-\U0010ffff]+")

_BUILTINS = {
    "eval": "Read data with json.loads or ast.literal_eval.",
    "exec": "Write the code out.",
    "compile": "Write the code out.",
    "open": "Read the archive's own files with pathlib.Path.read_text or read_bytes, objects with "
    "shared.plugins.open_asset.",
    "__import__": "Import at the top of the file, by name.",
    "setattr": "Assign to the attribute by name, or use a dict.",
    "delattr": "Delete the attribute by name, or use a dict.",
    "globals": "Keep values in a dict of your own.",
    "locals": "Keep values in a dict of your own.",
    "vars": "Use dataclasses.asdict, or a dict of your own.",
    "breakpoint": "Leave it out: nobody sits at the keyboard.",
    "input": "Leave it out: nobody sits at the keyboard. A variable can have another name.",
    "__builtins__": "Call the builtin by its name.",
    "__loader__": "Find the archive's files from pathlib.Path(__file__).",
    "__spec__": "Find the archive's files from pathlib.Path(__file__).",
}


@rule("C01", "Save the file as UTF-8, and write unusual characters as escapes.")
def text_is_plain(source: Source) -> Iterator[Problem]:
    """Code is UTF-8 without another coding cookie, control characters, characters that reverse the reading
    direction, and identifiers that Python reads as other ones: what people see is what runs."""
    for number, line in enumerate(source.raw.removeprefix(b"\xef\xbb\xbf").split(b"\n", 2)[:2], start=1):
        cookie = _COOKIE.match(line)
        if cookie and cookie[1].lower().replace(b"_", b"-") not in _UTF8_NAMES:
            yield Problem(
                f"the file declares the encoding {ascii(cookie[1])[2:-1][:40]}", source.path, number
            )
    if source.text is None:
        yield Problem("the file is not UTF-8", source.path)
        return
    for pattern, what in (
        (_CONTROL, "a control character"),
        (_BIDI, "a character that reverses the direction"),
    ):
        if found := pattern.search(source.text):
            message = f"the file holds {what}, U+{ord(found[0]):04X}"
            yield Problem(message, source.path, source.text.count("\n", 0, found.start()) + 1)
    if source.tree and not source.text.isascii() and any(map(_is_disguise, _WORD.findall(source.text))):
        for line_number, word in _find_disguises(source.text):
            plain = unicodedata.normalize("NFKC", word)
            yield Problem(f"Python reads the identifier {word!a} as {plain!a}", source.path, line_number)


@rule("C02", "Split the file, or write the constant as a name and compute it where it is used.")
def code_is_bounded(source: Source) -> Iterator[Problem]:
    """Code parses with the Python that runs it, and is small enough to be judged: 1 MiB, 400 levels and
    200,000 nodes a file, no constants that grow when they are compiled."""
    if source.unparsable:
        yield source.unparsable
    for node, what in constants.find_explosions(source.each(ast.BinOp)):
        yield source.problem(node, what)


@rule("C04", "Use what the platform offers instead.")
def no_forbidden_modules(source: Source) -> Iterator[Problem]:
    """Modules that start processes, open sockets, load pickles, import by string or look into the interpreter
    are not for extractors."""
    for node, modules in _external_imports(source):
        found = _find_forbidden(modules)
        if found:
            yield source.problem(node, f"imports {found}", imports.FORBIDDEN[found])


@rule(
    "C03",
    "Use a module from the list, or ask the operator to allow the distribution and name it in the manifest.",
)
def imports_are_known(source: Source) -> Iterator[Problem]:
    """Code imports the archive's own modules, the platform's, a list of the standard library and of
    well-known libraries, `from ray import serve`, and the manifest's dependencies where the operator allows
    them. Everything else is unknown, and refused."""
    for statement in source.each(ast.ImportFrom):
        if any(alias.name == "*" for alias in statement.names):
            yield source.problem(statement, "imports everything (*)", "Import by name.")
    for node, module in _internal_imports(source):
        if module is None:
            yield source.problem(
                node, "a relative import leaves the archive", "Import from the archive's root."
            )
        elif not source.imports.has(module):
            yield source.problem(node, f"imports {module}, which is not in the archive", "Add the module.")
    for node, modules in _external_imports(source):
        unknown = None if _find_forbidden(modules) else _find_unknown(source, modules)
        if unknown:
            yield source.problem(node, f"imports {unknown}, which is not on the list")


@rule("C05", "Use a plain function or method instead.")
def no_forbidden_builtins(source: Source) -> Iterator[Problem]:
    """Builtins that run text as code, open files or change things by name are not read, whether called or
    passed on. Methods and attributes of the same name are fine: `model.eval()`, `re.compile`,
    `Image.open`."""
    for name, advice in _BUILTINS.items():
        for node, _ in source.names.get(name, ()):
            if isinstance(node.ctx, ast.Load):
                yield source.problem(node, f"uses the builtin {name}", advice)


def _is_disguise(word: str) -> bool:
    """Tell whether a word would be another one as an identifier; most texts have none, and are done."""
    if word.isascii():
        return False
    plain = unicodedata.normalize("NFKC", word)
    return plain != word and f"a{plain}".isidentifier()


def _find_disguises(text: str) -> Iterator[tuple[int, str]]:
    """Find identifiers that change under NFKC, as Python's own parser changes them."""
    for line, word in _words(text):
        if not unicodedata.is_normalized("NFKC", word):
            yield line, word


def _words(text: str) -> Iterator[tuple[int, str]]:
    """Give all identifiers and keywords with their lines."""
    word, line, end = "", 0, (0, 0)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        # Before Python 3.12 an f-string is one token, with code in it, and a combining mark is an error
        # between two names; the file has been parsed, so that there are no other errors.
        if token.type == tokenize.STRING and "f" in token.string.partition(token.string[-1])[0].lower():
            codes = (_QUOTED.sub("", code) for code in _IN_BRACES.findall(token.string))
            yield from ((token.start[0], found) for code in codes for found in _WORD.findall(code))
        if token.type in (tokenize.NAME, tokenize.ERRORTOKEN) and token.start == end:
            word, end = word + token.string, token.end
        elif token.type == tokenize.NAME:
            yield line, word
            word, line, end = token.string, token.start[0], token.end
    yield line, word


def _internal_imports(source: Source) -> Iterator[tuple[ast.stmt, str | None]]:
    """Give the imports of the archive's own modules, None for one that leaves the archive."""
    for node in source.each(ast.Import):
        yield from ((node, alias.name) for alias in node.names if source.imports.owns(alias.name))
    for statement in source.each(ast.ImportFrom):
        module = imports.resolve(source.path, statement.module, statement.level)
        if statement.level or module is None or source.imports.owns(module):
            yield statement, module


def _external_imports(source: Source) -> Iterator[tuple[ast.stmt, list[str]]]:
    """Give all other imports with the modules they may load: ``from a import b`` may load a.b."""
    for node in source.each(ast.Import):
        yield from ((node, [alias.name]) for alias in node.names if not source.imports.owns(alias.name))
    for statement in source.each(ast.ImportFrom):
        module = statement.module or ""
        if not statement.level and not source.imports.owns(module):
            yield statement, [module, *(f"{module}.{alias.name}" for alias in statement.names)]


def _find_forbidden(modules: list[str]) -> str | None:
    return next(filter(None, map(imports.find_forbidden, modules)), None)


def _find_unknown(source: Source, modules: list[str]) -> str | None:
    """Name the first module that is not on the list."""
    module, *members = modules
    if members == ["ray.serve"]:
        return None
    wanted = members if members and module == "urllib" else [module]
    return next((each for each in wanted if not source.imports.allows(each)), None)


COMMENTS = Rule[None](
    "C12",
    "No comment changes a verdict: `# nosec`, `# noqa` and `# type: ignore` are for other tools.",
    "Correct what a finding says.",
)

RULES = (
    *(text_is_plain, code_is_bounded, no_forbidden_modules, imports_are_known, no_forbidden_builtins),
    *(*attributes.RULES, *format_fields.RULES, *patching.RULES, *annotations.RULES),
    *(*expressions.RULES, *unsafe.RULES, *remote_code.RULES, *secrets.CODE_RULES),
)
"""Judged file by file."""

ARCHIVE_RULES = (
    *attributes.ARCHIVE_RULES,
    *expressions.ARCHIVE_RULES,
    *unsafe.ARCHIVE_RULES,
    *remote_code.ARCHIVE_RULES,
)
"""Judged when all files are known."""
