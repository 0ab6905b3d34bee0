"""Slow calls that are made once for each row of a batch: what `rules.batch` warns of.

A guess by names, made to stay silent where it is not sure. A loop counts when it goes over the rows that a
processor was given; a call, when something of that row goes to a model, a tokenizer or the network. Loops
over chunks of rows, and coroutines that are made here and awaited together, are as they should be.
"""

import ast
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Loop = ast.For | ast.AsyncFor | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_LOOPS_AND_CALLS = (
    ast.For,
    ast.AsyncFor,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.Call,
)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_LEAVES = (ast.Name, ast.Constant)
_MAX_DEPTH = 32
_MAX_HELPERS = 4
"""A call of a function that calls a function … that is slow is found through so many of them."""

_BATCH_METHODS = {"__call__", "_process_batch", "process_batch"}
_BATCH_NAMES = {"batch", "df", "frame", "dataframe"}
_KEEPS_FRAME = {"reset_index", "copy", "assign", "to_pandas"}
_KEEPS_ROWS = {
    "tolist",
    "to_list",
    "to_pylist",
    "to_numpy",
    "fillna",
    "astype",
    "items",
    "get",
    "column",
    "copy",
}
_PANDAS_LOOPS = {"iterrows", "itertuples"}
_WRAPPERS = {"enumerate", "zip", "list", "tuple", "reversed", "sorted", "tqdm"}

_MODELS = {
    *("model", "encoder", "embedder", "network", "net", "classifier", "detector", "recognizer", "reranker"),
    *("captioner", "transcriber", "transformer", "backbone", "vlm", "clip", "whisper", "pipe", "pipeline"),
}
_ASKS = {
    *(
        "encode",
        "embed",
        "predict",
        "forward",
        "generate",
        "infer",
        "run",
        "transcribe",
        "detect",
        "classify",
    ),
    *("encode_image", "encode_text", "text_to_embedding", "embed_query", "complete", "create", "process"),
}
_TOKENIZES = {"encode", "tokenize", "encode_plus"}
_WEB = {"requests", "httpx", "client", "session"}
_WEB_VERBS = {"get", "post", "put", "patch", "delete", "head", "request", "stream"}
_ASSETS = {"download_asset", "open_asset", "resolve_url_to_local_path", "run_tool"}
_PREPARES = re.compile("(load|get|make|create|build|init|ensure|set|is|has|select|download)_")
_RUNS_COROUTINE = {"run", "run_until_complete"}


class Slow(StrEnum):
    """What a call waits for."""

    MODEL = "a model"
    TOKENIZER = "a tokenizer"
    NETWORK = "a file or the network"
    LANGUAGE_MODEL = "a language model"


@dataclass(frozen=True)
class RowCall:
    """A slow call that is made for each row."""

    node: ast.expr
    name: str
    """As it is written: ``self._model.encode``."""
    slow: Slow
    by_pandas: bool
    """Whether the loop is ``iterrows`` or ``itertuples``."""


def find(functions: Sequence[_Function], attributes: Container[str]) -> list[RowCall]:
    """Find the slow calls of a file that are made once a row: the first of each kind in each loop.

    Takes all functions of the file, and the names of all attributes in it.
    """
    # Nothing is a loop over rows where there is no batch: most files are done here.
    if not any(name in attributes for name in _PANDAS_LOOPS):
        starts = [function for function in functions if _frames_given(function)]
    else:
        starts = list(functions)
    file = _File(functions)
    found: list[RowCall] = []
    seen: set[_Function] = set()
    for start in starts:
        waiting = [(start, _Rows())] if start not in seen else []
        while waiting:
            function, outer = waiting.pop()
            seen.add(function)
            rows = _Rows({*outer.frames, *_frames_given(function)}, {*outer.rows}, {*outer.counts})
            for node in _walk(function.body):
                rows.learn(node)
                if isinstance(node, _Function):
                    waiting.append((node, rows))
                elif isinstance(node, _LOOPS_AND_CALLS) and (loop := _row_loop(node, rows)):
                    found += file.slow_calls(loop, function)
    # A call in a loop within a loop was found twice, and so was one in a function within a function.
    unique = {(call.node.lineno, call.node.col_offset): call for call in found}
    return [unique[place] for place in sorted(unique)]


@dataclass
class _Rows:
    """What the names of a function mean, as far as they stand for a whole batch."""

    frames: set[str] = field(default_factory=set)
    rows: set[str] = field(default_factory=set)
    """Sequences with a value for each row."""
    counts: set[str] = field(default_factory=set)

    def learn(self, node: ast.AST) -> None:
        """Follow an assignment to a name."""
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for name in (target.id for target in targets if isinstance(target, ast.Name)):
                for kind, is_kind in (
                    (self.frames, self.is_frame),
                    (self.rows, self.is_rows),
                    (self.counts, self.is_count),
                ):
                    (kind.add if is_kind(node.value) else kind.discard)(name)

    def is_frame(self, node: ast.expr, depth: int = 0) -> bool:
        match node:
            case ast.Name(id=name):
                return name in self.frames
            case ast.Call(func=ast.Attribute(value=owner, attr=name)) if depth < _MAX_DEPTH:
                return name in _KEEPS_FRAME and self.is_frame(owner, depth + 1)
        return False

    def is_rows(self, node: ast.expr, depth: int = 0) -> bool:
        if depth > _MAX_DEPTH:
            return False
        match node:
            case ast.Name(id=name):
                return name in self.rows
            case ast.Subscript(value=owner, slice=ast.Slice()):
                return self.is_rows(owner, depth + 1)
            case ast.Attribute(attr="columns" | "dtypes"):
                return False
            case ast.Subscript(value=owner) | ast.Attribute(value=owner):
                return self.is_frame(owner)
            case ast.ListComp(generators=[ast.comprehension(iter=source)]):
                return self.is_rows(source, depth + 1)
            case ast.IfExp(body=one, orelse=other):
                return self.is_rows(one, depth + 1) or self.is_rows(other, depth + 1)
            case ast.Call(func=ast.Name(id="range"), args=[count] | [_, count]):
                return self.is_count(count)
            case ast.Call(func=ast.Name(id=name), args=sources) if name in _WRAPPERS:
                return any(self.is_rows(source, depth + 1) for source in sources)
            case ast.Call(func=ast.Attribute(attr=name)) if name in _PANDAS_LOOPS:
                return True
            case ast.Call(func=ast.Attribute(value=owner, attr=name)):
                whole = name in _KEEPS_ROWS or name == "to_dict"
                return whole and (self.is_frame(owner) or self.is_rows(owner, depth + 1))
        return False

    def is_count(self, node: ast.expr) -> bool:
        match node:
            case ast.Name(id=name):
                return name in self.counts
            case ast.Call(func=ast.Name(id="len"), args=[whole]):
                return self.is_frame(whole) or self.is_rows(whole)
            case ast.Attribute(value=owner, attr="num_rows"):
                return self.is_frame(owner)
            case ast.Subscript(value=ast.Attribute(value=owner, attr="shape")):
                return self.is_frame(owner)
        return False


@dataclass(frozen=True)
class _RowLoop:
    targets: list[ast.expr | ast.arguments]
    body: list[ast.AST]
    by_pandas: bool
    applied: ast.expr | None = None
    """What ``apply`` or ``map`` is told to call, by name."""


def _row_loop(node: "_Loop | ast.Call", rows: _Rows) -> _RowLoop | None:
    match node:
        case ast.For() | ast.AsyncFor():
            if rows.is_rows(node.iter):
                return _RowLoop([node.target], list(node.body), _is_pandas(node.iter))
        case ast.Call(func=ast.Attribute(value=owner, attr="apply" | "map"), args=[applied, *_]):
            if rows.is_frame(owner) or rows.is_rows(owner):
                if isinstance(applied, ast.Lambda):
                    return _RowLoop([applied.args], [applied.body], False)
                return _RowLoop([], [], False, applied)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            for part in node.generators:
                if rows.is_rows(part.iter):
                    body = [child for child in ast.iter_child_nodes(node) if child is not part]
                    return _RowLoop([part.target], [*body, *part.ifs], _is_pandas(part.iter))
    return None


class _File:
    """The functions of a file: which of them are slow because of what they call."""

    def __init__(self, functions: Sequence[_Function]) -> None:
        self._functions = functions
        self._local = {function.name for function in functions} - {"__call__"}
        self._asynchronous = {node.name for node in functions if isinstance(node, ast.AsyncFunctionDef)}
        self._slow: dict[str, Slow] = {}
        self._is_known = False

    def slow_calls(self, loop: _RowLoop, function: _Function) -> Iterator[RowCall]:
        """Find the first call of each kind that takes something of the loop's row."""
        self._know_slow()
        if loop.applied is not None:
            if slow := self._kind(loop.applied):
                yield RowCall(loop.applied, ast.unparse(loop.applied), slow, loop.by_pandas)
            return
        items = _items(loop)
        seen: set[Slow] = set()
        for call, slow in self._calls(loop.body, function):
            arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
            if slow not in seen and any(_mentions(argument, items) for argument in arguments):
                seen.add(slow)
                yield RowCall(call, ".".join(_chain(call.func)), slow, loop.by_pandas)

    def _know_slow(self) -> None:
        """Find the file's own functions that are slow; most files have no loop that asks for it."""
        if self._is_known:
            return
        self._is_known = True
        for _ in range(_MAX_HELPERS):
            before = len(self._slow)
            for function in self._functions:
                if function.name in self._local and function.name not in self._slow:
                    slow = next((slow for _, slow in self._calls(function.body, function)), None)
                    if slow:
                        self._slow[function.name] = slow
            if len(self._slow) == before:
                return

    def _calls(self, body: Iterable[ast.AST], function: _Function) -> Iterator[tuple[ast.Call, Slow]]:
        """Find the slow calls that happen here: a coroutine that is only made does not."""
        awaited: set[int] = set()
        for node in _walk(body):
            match node:
                case ast.Await(value=value):
                    awaited.add(id(value))
                case ast.AsyncWith(items=items):
                    awaited.update(id(item.context_expr) for item in items)
                case ast.Call(func=ast.Attribute(attr=name), args=arguments) if name in _RUNS_COROUTINE:
                    awaited.update(id(argument) for argument in arguments)
            if isinstance(node, ast.Call) and (slow := self._kind(node.func)):
                is_coroutine = (
                    isinstance(function, ast.AsyncFunctionDef)
                    or slow is Slow.LANGUAGE_MODEL
                    or _chain(node.func)[-1] in self._asynchronous
                )
                if id(node) in awaited or not is_coroutine:
                    yield node, slow

    def _kind(self, function: ast.expr) -> Slow | None:
        chain = _chain(function)
        if not chain or chain[-1][:1].isupper():
            return None
        if chain[-1] in self._local and chain[:-1] in ([], ["self"], ["cls"]):
            return self._slow.get(chain[-1])
        return _by_name([part.strip("_").lower() for part in chain])


def _by_name(chain: list[str]) -> Slow | None:
    """Tell from names alone what is asked: ``self``, ``model``, ``encode``."""
    last, word = chain[-1], chain[-1].rpartition("_")[2]
    owner = chain[-2].rpartition("_")[2] if len(chain) > 1 else ""
    if last in _ASSETS or (owner in _WEB and last in _WEB_VERBS):
        return Slow.NETWORK
    if owner == "tokenizer":
        return Slow.TOKENIZER if last in _TOKENIZES else None
    if owner in ("llm", "completions", "messages", "responses") and last in _ASKS:
        return Slow.LANGUAGE_MODEL
    if owner in _MODELS | {"session", "service"} and last in _ASKS:
        return Slow.MODEL
    if _PREPARES.match(last) or word not in {*_MODELS, "tokenizer"}:
        return None
    return Slow.TOKENIZER if word == "tokenizer" else Slow.MODEL


def _frames_given(function: _Function) -> set[str]:
    parameters = [*function.args.posonlyargs, *function.args.args]
    own = [parameter.arg for parameter in parameters if parameter.arg not in ("self", "cls")]
    return {*own[:1]} if function.name in _BATCH_METHODS else {*own} & _BATCH_NAMES


def _items(loop: _RowLoop) -> set[str]:
    """Name everything in a loop that comes from its row."""
    items = {name for target in loop.targets for name in _names(target)}
    for node in _walk(loop.body):
        match node:
            case ast.Assign(value=value):
                targets: list[ast.expr] = node.targets
            case (
                ast.NamedExpr(target=target, value=value)
                | ast.For(target=target, iter=value)
                | ast.comprehension(target=target, iter=value)
                | ast.withitem(context_expr=value, optional_vars=ast.expr() as target)
            ):
                targets = [target]
            case _:
                continue
        if _mentions(value, items):
            items.update(name for target in targets for name in _names(target))
    return items


def _names(target: ast.AST) -> Iterator[str]:
    for node in ast.walk(target):
        if isinstance(node, ast.Name | ast.arg):
            yield node.id if isinstance(node, ast.Name) else node.arg


def _mentions(node: ast.expr, names: set[str]) -> bool:
    return any(isinstance(each, ast.Name) and each.id in names for each in ast.walk(node))


def _is_pandas(node: ast.expr) -> bool:
    return any(map(_is_pandas_loop, ast.walk(node)))


def _is_pandas_loop(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in _PANDAS_LOOPS


def _chain(node: ast.expr) -> list[str]:
    """Spell a callee by the names in it: ``self._models[0].encode`` is self, _models, encode."""
    names: list[str] = []
    while True:
        match node:
            case ast.Attribute(value=owner, attr=name):
                names.append(name)
                node = owner
            case ast.Subscript(value=owner) | ast.Call(func=owner) | ast.Await(value=owner):
                node = owner
            case ast.Name(id=name):
                return [name, *reversed(names)]
            case _:
                return list(reversed(names))


def _walk(roots: Iterable[ast.AST], stop: tuple[type[ast.AST], ...] = _SCOPES) -> Iterator[ast.AST]:
    """Give nodes in the order of the source, without what is inside of functions and classes.

    Without recursion: a hostile tree is deeper than Python's stack.
    """
    waiting = list(roots)[::-1]
    while waiting:
        node = waiting.pop()
        yield node
        if type(node) not in _LEAVES and not isinstance(node, stop):
            waiting.extend(reversed(list(ast.iter_child_nodes(node))))
