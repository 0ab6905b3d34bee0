"""Judge a pickle by following its opcodes with stand-ins for values: nothing is imported, called or built.

A pickle is a program for a machine with a stack. What it may name are torch's rebuild functions, what it may
call is what it named, and it ends where the file ends. Only those values are kept that can decide something:
the names that globals are looked up by, and what a tensor says of its storage.
"""

import pickletools
import warnings
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from extractor_sandbox import limits
from extractor_sandbox.finding import shown
from extractor_sandbox.weights import second_opinion, torch_globals
from extractor_sandbox.weights.unfit import Unfit

MAX_BYTES = 32 * limits.MIB
"""Storages lie outside of a checkpoint's pickle, so that it is small."""
RE_SAVE = "Load it where you trust it, and save it again with a current torch: torch.save(state_dict, path)."

_PROTOCOL = 5
"""The newest that there is."""
_MAX_OPCODES = 3_000_000
_LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
_KEEP_AS = "Keep arrays as .npy or .safetensors, and an ONNX model in one file."
_STATE_ONLY = "Save tensors only: torch.save(model.state_dict(), path), or safetensors.torch.save_file(...)."


def check(data: bytes) -> None:
    """Raise Unfit unless the file is one pickle that only rebuilds tensors and plain data."""
    if data.startswith(_LEGACY):
        raise Unfit("the file has the format of torch before 1.6: several pickles and raw storages", RE_SAVE)
    _follow(data)
    second_opinion.check(data)


def _follow(data: bytes) -> None:
    machine = _Machine()
    end = -1
    try:
        for steps, (opcode, argument, position) in enumerate(_parse(data)):
            if steps == _MAX_OPCODES:
                raise Unfit(f"the pickle has more than {_MAX_OPCODES} operations", _STATE_ONLY)
            machine.step(opcode, argument)
            end = position
    except (ValueError, LookupError, OverflowError) as err:
        if end < 0:
            raise Unfit("the file is neither a torch zip nor a pickle", _KEEP_AS) from err
        raise Unfit(f"the pickle is damaged or cut off behind byte {end}", RE_SAVE) from err
    if end != len(data) - 1:
        raise Unfit("something follows the pickle", RE_SAVE)


def _parse(data: bytes) -> Iterator[tuple[pickletools.OpcodeInfo, Any, int]]:
    """Give the opcodes, their arguments, and where they are."""
    with warnings.catch_warnings():
        # Strings may hold escapes that Python does not know.
        warnings.simplefilter("ignore", DeprecationWarning)
        for opcode, argument, position in pickletools.genops(data):
            assert position is not None  # It counts from the start of bytes.
            if opcode.name in ("GLOBAL", "INST"):
                # The library decodes escapes in names, and unpicklers do not.
                module, _, name = str(argument).partition(" ")
                if not data.startswith(f"{module}\n{name}\n".encode(), position + 1):
                    raise Unfit("the pickle names something that is no plain name", _STATE_ONLY)
            yield opcode, argument, position


@dataclass(frozen=True)
class _Global:
    name: str


_Value = object
_ANYTHING: _Value = object()
"""A value that decides nothing."""


class _Machine:
    """The unpickler's stack, with stand-ins on it."""

    def __init__(self) -> None:
        self._stack: list[_Value] = []
        self._below: list[list[_Value]] = []
        """What lies under each mark."""
        self._memo: dict[int, _Value] = {}
        self._steps = 0

    def step(self, opcode: pickletools.OpcodeInfo, argument: Any) -> None:
        """Do what an opcode does."""
        self._steps += 1
        stack = self._stack
        match opcode.name:
            case name if name in _LITERALS:  # First, because most of them are.
                stack.append(argument if isinstance(argument, str | int) else _ANYTHING)
            case "PROTO" if argument > _PROTOCOL:
                raise Unfit(f"the pickle is of protocol {argument}, which does not exist", RE_SAVE)
            case "PROTO" | "FRAME":
                pass
            case "MARK":
                self._below.append(stack)
                self._stack = []
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                # Some unpicklers reserve memory up to the number.
                if argument > self._steps:
                    raise Unfit(f"the pickle numbers a value {argument}, after far fewer", RE_SAVE)
                self._memo[argument] = stack[-1]
            case "MEMOIZE":
                self._memo[len(self._memo)] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(self._memo[argument])
            case "DUP":
                stack.append(stack[-1])
            case "POP":
                # As unpicklers do: a mark is a value, here.
                if stack:
                    stack.pop()
                else:
                    self._pop_to_mark()
            case "POP_MARK":
                self._pop_to_mark()
            case "GLOBAL":
                stack.append(_look_up(argument))
            case "STACK_GLOBAL":
                attribute, module = stack.pop(), stack.pop()
                if not isinstance(attribute, str) or not isinstance(module, str):
                    raise Unfit("the pickle looks up a name that it computes", _STATE_ONLY)
                stack.append(_look_up(f"{module} {attribute}"))
            case "REDUCE" | "NEWOBJ":
                stack.pop()
                self._call(stack.pop())
            case "NEWOBJ_EX":
                stack.pop()
                stack.pop()
                self._call(stack.pop())
            case "INST":
                self._pop_to_mark()
                self._call(_look_up(argument))
            case "OBJ":
                called, *_ = self._pop_to_mark()
                self._call(called)
            case "BUILD" | "APPEND":
                stack.pop()
                self._change()
            case "SETITEM":
                stack.pop()
                stack.pop()
                self._change()
            case "APPENDS" | "SETITEMS" | "ADDITEMS":
                self._pop_to_mark()
                self._change()
            case "TUPLE":
                items = self._pop_to_mark()
                self._stack.append(tuple(items) if len(items) == _STORAGE_FIELDS else _ANYTHING)
            case "LIST" | "DICT" | "FROZENSET":
                self._pop_to_mark()
                self._stack.append(_ANYTHING)
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                for _ in range(int(opcode.name[-1])):
                    stack.pop()
                stack.append(_ANYTHING)
            case "BINPERSID":
                _check_storage(stack.pop())
                stack.append(_ANYTHING)
            case "STOP":
                stack.pop()
                if stack or self._below:
                    raise Unfit("the pickle leaves values behind", RE_SAVE)
            case name:
                raise Unfit(f"the pickle uses the opcode {name}, which no checkpoint needs", _STATE_ONLY)

    def _pop_to_mark(self) -> list[_Value]:
        items, self._stack = self._stack, self._below.pop()
        return items

    def _call(self, called: _Value) -> None:
        if not isinstance(called, _Global):
            raise Unfit("the pickle calls something that it did not look up by name", _STATE_ONLY)
        self._stack.append(_ANYTHING)

    def _change(self) -> None:
        """Refuse to change what is not the pickle's own: a class or function of a library."""
        if isinstance(self._stack[-1], _Global):
            raise Unfit(f"the pickle changes {self._stack[-1].name} itself", _STATE_ONLY)


_LITERALS = {
    *("NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"),
    *("FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING"),
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    *("EMPTY_TUPLE", "EMPTY_LIST", "EMPTY_DICT", "EMPTY_SET"),
}
_STORAGE_FIELDS = 5


def _look_up(reference: str) -> _Global:
    """Look up a module and a name in it, with a blank between them."""
    module, _, name = reference.partition(" ")
    # As torch does: pickles of protocol 2 call modules by what they were called in Python 2.
    if (module, name) in NAME_MAPPING:
        module, name = NAME_MAPPING[module, name]
    path = f"{IMPORT_MAPPING.get(module, module)}.{name}"
    if path not in torch_globals.ALLOWED:
        raise Unfit(f"the pickle names {shown(path)}, which torch does not need for tensors", _STATE_ONLY)
    return _Global(path)


def _check_storage(key: _Value) -> None:
    match key:
        case ("storage", _Global(name=name), str(), str(), int()) if name in torch_globals.STORAGES:
            return
    raise Unfit("the pickle refers to something outside of it that is no storage of a tensor", _STATE_ONLY)
