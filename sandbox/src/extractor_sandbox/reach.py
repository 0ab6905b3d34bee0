"""How far into other people's modules an extractor may reach, decided by dotted path: ``torch.hub.load``.

Lists of what is allowed where a module is mostly dangerous, lists of what is refused where it is mostly
harmless; in between, no attribute that is private or that is another module in disguise (``logging.os``).
"""

import functools
from dataclasses import dataclass

from extractor_sandbox import imports


@dataclass(frozen=True)
class Fault:
    """What is wrong with a path."""

    rule: str
    message: str
    advice: str | None = None
    is_guess: bool = False
    """Whether the name says too little where it is not known what it is read of."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DUNDERS = _words(
    """__abs__ __add__ __aenter__ __aexit__ __aiter__ __all__ __and__ __anext__ __annotations__ __args__
    __array__ __author__ __await__ __bool__ __bytes__ __call__ __cause__ __ceil__ __class__
    __class_getitem__ __complex__ __contains__ __context__ __copy__ __dataclass_fields__ __deepcopy__
    __del__ __delitem__ __divmod__ __doc__ __enter__ __eq__ __exit__ __fields__ __fields_set__
    __file__ __float__ __floor__
    __floordiv__ __format__ __ge__ __getitem__ __gt__ __hash__ __iadd__ __iand__ __imul__ __index__
    __init__ __init_subclass__ __int__ __invert__ __ior__ __isub__ __iter__ __itruediv__ __le__ __len__
    __length_hint__ __lshift__ __lt__ __matmul__ __members__
    __metadata__ __missing__ __mod__ __module__ __mul__
    __name__ __ne__ __neg__ __new__ __next__ __notes__ __or__ __origin__ __pos__ __post_init__ __pow__
    __qualname__ __radd__ __rand__ __repr__ __reversed__ __rmul__ __ror__ __round__ __rshift__ __rsub__
    __rtruediv__ __set_name__ __setitem__ __sizeof__ __slots__ __str__ __sub__ __suppress_context__
    __traceback__ __truediv__ __trunc__ __version__ __xor__"""
)
"""Attributes with two underscores on either side that may be used: none of them leads out of an object."""

FRAMES = _words(
    """gi_frame gi_code gi_yieldfrom cr_frame cr_code cr_await cr_origin ag_frame ag_code ag_await tb_frame
    f_back f_builtins f_code f_globals f_locals f_lasti f_trace f_trace_lines f_trace_opcodes func_globals
    func_code co_code co_consts co_names co_varnames co_freevars co_cellvars co_nlocals co_lnotab
    co_linetable co_exceptiontable co_positions co_lines co_replace co_flags co_stacksize"""
)
"""Attributes of frames and code objects, from which everything can be reached."""

NO_VALUES = _words("os sys io types operator asyncio")
"""Modules that are used by attribute only: as a value, nobody could say what becomes of them."""

ONLY_CALLED = _words("yaml.load yaml.load_all yaml.loader.load")
"""Functions that are judged by their arguments, so that they are not values either."""

_MEMBERS = {
    "os": _words(
        """environ getenv path sep altsep extsep pathsep linesep curdir pardir fspath cpu_count getpid getcwd
        listdir scandir walk makedirs mkdir remove unlink rmdir rename replace stat urandom PathLike devnull
        name"""
    ),
    "sys": _words(
        """version_info version platform maxsize byteorder stderr stdout float_info getsizeof exc_info
        implementation"""
    ),
    "io": _words(
        """BytesIO StringIO TextIOWrapper BufferedIOBase BufferedRWPair BufferedRandom BufferedReader
        BufferedWriter IOBase RawIOBase TextIOBase SEEK_SET SEEK_CUR SEEK_END"""
    ),
    "urllib": _words("parse error"),
}

_NO_PROCESSES = "Start a tool with run_tool of shared.plugins.sdk."
_NO_STREAMS = "Use httpx or aiohttp."
_NO_NATIVE_CODE = "Leave it out: an extractor holds no native code."
_BY_NAME = "Write the attribute out: `lambda x: x.name`."
_BY_IMPORT = "Import it by name, at the top of the file."
_BY_DEFINITION = "Define the function or class with def or class."
_SAFE_YAML = "Use yaml.safe_load."
_SAFE_WEIGHTS = "Keep weights in safetensors, or load a state dict with torch.load(path, weights_only=True)."

_REFUSED = {
    ("C06", _NO_PROCESSES): """asyncio.create_subprocess_exec asyncio.create_subprocess_shell
        asyncio.subprocess asyncio.base_subprocess asyncio.SubprocessProtocol asyncio.SubprocessTransport
        torch.utils.collect_env PIL.ImageShow""",
    ("C06", _NO_STREAMS): """asyncio.open_connection asyncio.start_server asyncio.open_unix_connection
        asyncio.start_unix_server asyncio.streams asyncio.StreamReader asyncio.StreamWriter
        asyncio.StreamReaderProtocol asyncio.DatagramProtocol asyncio.DatagramTransport""",
    ("C06", _BY_NAME): "operator.attrgetter operator.methodcaller string.Formatter",
    ("C06", _BY_DEFINITION): """types.CodeType types.FunctionType
        types.LambdaType types.ModuleType""",
    ("C06", "Read __annotations__, or keep a table of your own."): """typing.get_type_hints
        typing.ForwardRef typing.evaluate_forward_ref typing_extensions.get_type_hints
        typing_extensions.ForwardRef typing_extensions.evaluate_forward_ref""",
    ("C06", "Use concurrent.futures.ThreadPoolExecutor; the platform starts processes."): """
        concurrent.futures.ProcessPoolExecutor concurrent.futures.process""",
    ("C06", _BY_IMPORT): """pydantic.ImportString pydantic.types.ImportString pydantic.PyObject
        pydantic.v1.PyObject pydantic.v1.types.PyObject pydantic.v1.utils.import_string
        pydantic.utils.import_string pytest.importorskip""",
    ("C09", "Compute with pandas' own operators: `df[df.score > 3]`."): """pandas.eval
        pandas.core.computation""",
    ("C09", "Use PIL.ImageChops, or NumPy."): "PIL.ImageMath",
    ("C10", "Keep tables in Parquet or CSV."): """pandas.read_pickle pandas.io.pickle
        pandas.compat.pickle_compat""",
    ("C10", _SAFE_YAML): """yaml.unsafe_load yaml.unsafe_load_all yaml.full_load yaml.full_load_all
        yaml.Loader yaml.FullLoader yaml.UnsafeLoader yaml.CLoader yaml.CFullLoader yaml.CUnsafeLoader
        yaml.Constructor yaml.FullConstructor yaml.UnsafeConstructor yaml.constructor.Constructor
        yaml.constructor.FullConstructor yaml.constructor.UnsafeConstructor yaml.loader.Loader
        yaml.loader.FullLoader yaml.loader.UnsafeLoader yaml.cyaml.CLoader
        yaml.cyaml.CFullLoader yaml.cyaml.CUnsafeLoader""",
    ("C10", _SAFE_WEIGHTS): """torch.hub torch.package torch.jit.load torch.utils.model_zoo""",
    ("C10", _NO_NATIVE_CODE): """torch.utils.cpp_extension
        torch.ops.load_library torch.classes.load_library numpy.f2py numpy.ctypeslib numpy.distutils""",
    ("C10", "Leave it out: the platform runs an extractor in as many processes as it is given."): """
        torch.multiprocessing torch.distributed""",
    ("C10", "Compare with numpy.allclose."): "numpy.testing",
    ("C11", "Use a model whose code is part of the library."): "transformers.dynamic_module_utils",
}
REFUSED = {
    path: Fault(rule, f"reaches {path}", advice)
    for (rule, advice), paths in _REFUSED.items()
    for path in paths.split()
}
"""Paths that are refused with everything below them."""

EVERYWHERE = {
    name: Fault(rule, message, advice)
    for rule, message, advice, names in (
        (
            *("C06", "starts a process", _NO_PROCESSES),
            """create_subprocess_exec create_subprocess_shell subprocess_exec subprocess_shell
            ProcessPoolExecutor Popen run_subprocess execute_subprocess_async""",
        ),
        (
            *("C06", "opens a stream", _NO_STREAMS),
            """create_connection create_server create_datagram_endpoint create_unix_connection
            create_unix_server connect_accepted_socket""",
        ),
        ("C06", "reads attributes by name", _BY_NAME, "attrgetter methodcaller"),
        ("C06", "imports by string", _BY_IMPORT, "import_module import_string"),
        ("C06", "makes code of data", _BY_DEFINITION, "CodeType FunctionType LambdaType ModuleType"),
        ("C06", "loads native code", _NO_NATIVE_CODE, "CDLL PyDLL cdll pydll pythonapi"),
        (
            "C10",
            "loads native code",
            _NO_NATIVE_CODE,
            "register_custom_ops_library load_library cpp_extension",
        ),
        ("C10", "loads pickles", "Keep tables in Parquet or CSV.", "read_pickle"),
    )
    for name in names.split()
}
"""Attributes that mean one thing whatever they are read of."""

# enum calls builtins bltns; torch.utils.data calls multiprocessing python_multiprocessing.
_OTHERS = _words(
    """bltns python_multiprocessing shutil codecs linecache tokenize fileinput zipfile tarfile sqlite3
    selectors unittest copyreg posixpath
    ntpath genericpath nturl2path pydoc joblib ray"""
)
RESTRICTED = NO_VALUES | _OTHERS | {name for name in imports.FORBIDDEN if "." not in name}
"""Modules that must not be reached through another one."""
_WORDS_TOO = _words("io types operator signal trace profile code resource site http ssl tokenize")
"""Those whose names are also words for other things."""
HOPS = _words(
    """os sys subprocess builtins importlib runpy pickle _pickle marshal shelve dill cloudpickle posix pty
    shutil codecs multiprocessing socket bltns python_multiprocessing"""
)
"""Those that nobody would name anything else after, and that many modules hold."""
_NAMESAKES = _words(
    """scipy.io scipy.signal torchvision.io torchaudio.io pandas.io polars.io pyarrow.types pandas.api.types
    pydantic.types torch.types torch.signal torch.trace torch.Tensor.trace torch.jit.trace numpy.trace
    numpy.linalg.trace numpy.ma.trace torch.profiler.profile torch.autograd.profiler.profile tqdm.asyncio
    pytest.mark.asyncio"""
)
"""Other people's modules and functions that only share a name with one of those."""


GIVEN_AWAY = {
    "os": _words(
        """system popen fork execv execve execl execvp spawnl spawnv posix_spawn kill putenv fdopen
        setuid chmod symlink"""
    ),
    "sys": _words("modules meta_path path_hooks settrace setprofile addaudithook"),
    "builtins": _words("eval exec compile open getattr setattr globals"),
    "importlib": _words("import_module reload util machinery"),
    "subprocess": _words("run call check_call check_output getoutput Popen"),
}
"""By what is read of it, a module is known also where nobody knows what holds it."""

_LIBRARIES = {
    **{name: name for name in _words("torch numpy pandas yaml logging urllib concurrent PIL pydantic")},
    **{name: name for name in _words("typing typing_extensions string pytest transformers")},
    "np": "numpy",
    "pd": "pandas",
}
"""Libraries that rules know parts of, by the names under which others import them."""


@functools.lru_cache(maxsize=10_000)
def shorten(path: str) -> str:
    """Leave out through what a library is reached: ``transformers.utils.torch.hub`` is ``torch.hub``."""
    parts = path.split(".")
    # What safetensors calls torch is not torch.
    if parts[0] != "safetensors":
        for depth in range(len(parts) - 1, 0, -1):
            if parts[depth] in _LIBRARIES:
                return ".".join((_LIBRARIES[parts[depth]], *parts[depth + 1 :]))
    return path


@functools.lru_cache(maxsize=10_000)
def find_fault(path: str, trusted: bool = False) -> Fault | None:
    """Say what is wrong with reaching a path; None if nothing is.

    ``trusted`` libraries are the manifest's dependencies that the operator allowed: what they call ``types``
    is taken for their own.
    """
    root, *names = path.split(".")
    allowed = _MEMBERS.get(root)
    if allowed and names and names[0] not in allowed:
        return Fault("C06", f"uses {root}.{names[0]}", _advise(root, names[0]))
    for depth, name in enumerate(names, start=1):
        known = ".".join((root, *names[:depth]))
        fault = REFUSED.get(known) or EVERYWHERE.get(name)
        if fault:
            return fault
        if name.startswith("_") and name not in DUNDERS:
            is_guess = name.strip("_") not in HOPS
            return Fault("C06", f"uses {known}, which is private", "Use what is public.", is_guess)
        if known in imports.FORBIDDEN:
            return Fault("C06", f"reaches {known}", imports.FORBIDDEN[known])
        if name in RESTRICTED and known not in _NAMESAKES and not (trusted and name in _WORDS_TOO):
            message = f"reaches the module {name} through {known}"
            return Fault("C06", message, _advise_import(name), is_guess=name not in HOPS)
    short = shorten(path)
    return None if short == path else find_fault(short, trusted)


def _advise(root: str, name: str) -> str:
    if name.startswith(("exec", "fork", "popen", "posix_s", "spawn", "system")):
        return _NO_PROCESSES
    return _MEMBER_ADVICE[root]


_MEMBER_ADVICE = {
    "os": "Use pathlib, or what the rule lists.",
    "io": "Read the archive's own files with pathlib.Path.read_bytes.",
    "sys": "Leave it out, or take it as a parameter.",
    "urllib": "Import urllib.parse or urllib.error; fetch with httpx.",
}


def _advise_import(name: str) -> str:
    return imports.FORBIDDEN.get(name, f"Import {name} itself, where it is allowed.")
