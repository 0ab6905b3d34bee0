"""What the code of an extractor may import: the policy's lists, and the archive's own modules."""

import sys
from dataclasses import dataclass


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STANDARD = _words(
    """__future__ abc argparse array ast asyncio base64 binascii bisect calendar cmath collections colorsys
    concurrent contextlib contextvars copy csv dataclasses datetime decimal difflib enum errno fnmatch
    fractions functools glob hashlib heapq hmac html io ipaddress itertools json keyword logging math
    mimetypes numbers operator os pathlib platform pprint queue random re secrets statistics string struct
    sys tempfile textwrap threading time traceback types typing unicodedata urllib uuid warnings wave
    weakref zlib zoneinfo"""
)
THIRD_PARTY = _words(
    """numpy pandas polars pyarrow scipy sklearn torch torchvision torchaudio transformers
    sentence_transformers tokenizers sentencepiece safetensors onnxruntime onnx PIL cv2 imageio librosa
    soundfile ffmpeg requests httpx aiohttp pydantic typing_extensions tqdm einops timm huggingface_hub
    accelerate yaml pytest"""
)
PLATFORM = frozenset({"engine", "shared", "api", "mixpeek_dev", "extractor_runtime"})
URLLIB = frozenset({"urllib.parse", "urllib.error"})

_ADVICE = {
    "Start a tool with run_tool of shared.plugins.sdk": """subprocess pty multiprocessing
        _posixsubprocess posix nt""",
    "Use a library that wraps the native code": "ctypes cffi mmap fcntl resource",
    "Use requests, httpx or aiohttp": """socket socketserver ssl telnetlib ftplib smtplib http xmlrpc
        urllib.request""",
    "Keep weights in safetensors and data in JSON": "pickle _pickle marshal shelve dbm dill cloudpickle",
    "Import at the top of the file, by name": "importlib imp runpy pkgutil zipimport",
    "Name distributions in the manifest's dependencies": "ensurepip venv pip setuptools distutils",
    "Use logging.getLogger; the platform collects logs": "logging.config logging.handlers",
    "Take times with time.perf_counter": "timeit profile cProfile",
    "Use threading": "_thread",
    "Use io or pathlib": "_io",
    "Leave it out: an extractor has no use for it": """signal code codeop builtins sysconfig site
        webbrowser gc inspect dis trace pdb bdb doctest atexit""",
}
FORBIDDEN = {name: f"{advice}." for advice, names in _ADVICE.items() for name in names.split()}
"""Modules with a better message than that they are unknown, and what to do instead."""

RESERVED = sys.stdlib_module_names | STANDARD | THIRD_PARTY | PLATFORM | FORBIDDEN.keys() | {"ray"}
"""Names that mean something already; the archive's own top-level modules have others."""


@dataclass(frozen=True)
class Imports:
    """What one extractor may import."""

    modules: frozenset[str]
    """Dotted names of the archive's modules and packages."""
    top_folder: str | None = None
    dependencies: frozenset[str] = frozenset()
    """Import roots of the allowed distributions that the manifest depends on."""

    def has(self, module: str) -> bool:
        """Tell whether the archive has a module, by its name from the root or through the top folder's."""
        return self.from_root(module) in self.modules

    def from_root(self, module: str) -> str:
        """Name a module of the archive from the root, if it is named through the top folder."""
        folder, _, rest = module.partition(".")
        return rest if folder == self.top_folder and module not in self.modules else module

    def owns(self, module: str) -> bool:
        """Tell whether a module's root is the archive's, whether the module is there or not."""
        root = module.partition(".")[0]
        return root in self.modules or root == self.top_folder

    def allows(self, module: str) -> bool:
        """Tell whether a module from outside of the archive may be imported."""
        root = module.partition(".")[0]
        if root == "urllib":
            return module in URLLIB
        return root in STANDARD or root in THIRD_PARTY or root in PLATFORM or root in self.dependencies


def resolve(path: str, module: str | None, level: int) -> str | None:
    """Make an import's module absolute; None if it climbs out of the archive."""
    package = path.split("/")[:-1]
    if level == 0:
        return module or ""
    if level > len(package) + 1:
        return None
    return ".".join(package[: len(package) - level + 1] + ([module] if module else []))


def find_forbidden(module: str) -> str | None:
    """Name the forbidden module that a dotted path is, or is a part of."""
    names = (".".join(module.split(".")[:depth]) for depth in (1, 2))
    return next((name for name in names if name in FORBIDDEN), None)
