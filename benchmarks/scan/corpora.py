"""Archives to scan, the same bytes from the same seed: small modules, large weights, bombs, and re-pushes."""

import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from isal import isal_zlib

SEED = 2_026
MODULES = 990
WEIGHTS = 10
WEIGHT_BYTES = 49_600_000
TEXT_BYTES = 50_000_000
CHANGED = 3
MIB = 1 << 20

_MANIFEST = """\
feature_extractor_name = "bench"
version = "1.0.0"
features = [{"feature_type": "embedding", "feature_name": "bench_v1", "embedding_dim": 128,
             "distance_metric": "cosine"}]
output_schema = {"bench_v1": {"type": "array", "items": {"type": "number"}}}
input_mappings = {"text": "text"}
"""
_PIPELINE = "def build_steps(extractor_request, **kwargs):\n    return {'steps': []}\n"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_WORDS = _words(
    """batch frame column vector score weight token chunk image sample feature window cache index label source
    target region channel signal layer record bucket segment header field query margin offset"""
)
_VERBS = _words("load scale merge filter encode reduce project sample normalize collect align score rank")

Files = dict[str, bytes]


def small() -> Files:
    """Give 1,000 modules of the kind that authors write, 5.5 MB together."""
    return _code(MODULES + 8)


def with_weights() -> Files:
    """Give 990 modules and ten safetensors, 502 MB together."""
    draw = random.Random(SEED)
    weights = {f"weights/layer{number}.safetensors": _tensors(draw) for number in range(WEIGHTS)}
    return _code(MODULES - 2) | weights


def with_text() -> Files:
    """Give eight modules and ten files of text, 500 MB together, that deflate to less than a third."""
    draw = random.Random(SEED)
    return _code(8) | {f"texts/part{number}.jsonl": _lines(draw) for number in range(10)}


def edited(files: Files) -> Files:
    """Give the same files with three modules changed."""
    modules = sorted(path for path in files if path.startswith("package"))
    draw = random.Random(SEED)
    return files | {path: files[path] + b"\n\nEDITED = True\n" for path in draw.sample(modules, CHANGED)}


def write(files: Files, path: Path, *, deflated: bool) -> Path:
    """Write a zip."""
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def hostile() -> Iterator[tuple[str, Callable[[Path], Path]]]:
    """Name what must be refused early, and say how it is written."""
    yield (
        "a bomb of 400 MB in one member",
        lambda path: write({"a.txt": bytes(400 * MIB)}, path, deflated=True),
    )
    yield "a bomb that says it is small", _write_liar
    yield "a traversal", lambda path: write(_code(0) | {"../../etc/cron.d/x": b"x"}, path, deflated=False)
    yield "overlapping members", _write_overlap


def _write_liar(path: Path) -> Path:
    """Write a member that inflates to 10 GB and declares 1 MiB: the reader has to stop by itself."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = bytes(MIB)
    packed = b"".join(engine.compress(piece) for _ in range(1_000)) + engine.flush()
    return _write_raw(path, "a.txt", packed, MIB, isal_zlib.crc32(piece))


def _write_overlap(path: Path) -> Path:
    """Write a directory whose 1,000 entries all point to one member."""
    data = zlib.compress(bytes(10 * MIB), 9)[2:-4]
    return _write_raw(path, "a.txt", data, 10 * MIB, zlib.crc32(bytes(10 * MIB)), entries=1_000)


def _write_raw(path: Path, name: str, packed: bytes, size: int, crc: int, entries: int = 1) -> Path:
    raw_name = name.encode()
    known = (20, 0, 8, 0, 33, crc, len(packed), size, len(raw_name), 0)
    body = struct.pack("<4s5H3L2H", b"PK\3\4", *known) + raw_name + packed
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, *known, 0, 0, 0, 0o100644 << 16, 0)
    directory = (
        b"".join(entry + b"%05d" % number for number in range(entries)) if entries > 1 else entry + raw_name
    )
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, entries, entries, len(directory), len(body), 0)
    path.write_bytes(body + directory + end)
    return path


def _code(modules: int) -> Files:
    """Write a package of modules, each about 5.5 kB, that import one another."""
    files = {"manifest.py": _MANIFEST.encode(), "pipeline.py": _PIPELINE.encode()}
    for number in range(modules):
        draw = random.Random(f"{SEED}/{number}")
        files[f"package{number % 20}/module{number}.py"] = _Module(draw, number).text.encode()
    return files


class _Module:
    """One module: imports, constants, functions and classes, put together at random."""

    def __init__(self, draw: random.Random, number: int) -> None:
        self._draw = draw
        self._lines = [f'"""Part {number}: {self._phrase(6)}."""', ""]
        self._imports(number)
        while sum(map(len, self._lines)) < 5_200:
            draw.choice((self._function, self._function, self._processor, self._record))()

    @property
    def text(self) -> str:
        return "\n".join(self._lines) + "\n"

    def _imports(self, number: int) -> None:
        near = [self._draw.randrange(number) for _ in range(2)] if number > 2 else []
        self._lines += [
            *("import json", "import logging", "import os", "from dataclasses import dataclass, field"),
            *("from pathlib import Path", "from typing import Any, Optional", ""),
            *("import numpy as np", "import pandas as pd", "import torch", "import torch.nn.functional as F"),
            *(f"from package{each % 20} import module{each} as part{each}" for each in sorted(set(near))),
            *("", "logger = logging.getLogger(__name__)"),
            f'DEFAULTS = {{"{self._word()}": {self._draw.random():.3f}, "{self._word()}": None}}',
            f'ROOT = Path(os.environ.get("{self._word().upper()}_ROOT", "."))',
            "",
        ]

    def _function(self) -> None:
        first, second, verb = self._word(), self._word(), self._draw.choice(_VERBS)
        limit = self._draw.randrange(2, 512)
        self._lines += f'''
def {verb}_{first}_{limit}({first}, {second}: Optional[int] = None, *, limit: int = {limit}) -> Any:
    """{verb.capitalize()} {self._phrase(7)}."""
    if {second} is None:
        {second} = limit // 2
    values = np.asarray([row for row in {first} if row is not None], dtype=np.float32)
    if values.size == 0 or not np.isfinite(values).all():
        logger.warning("nothing to {verb}: %s of %d", values.shape, limit)
        return {{}}
    scaled = (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-6)
    for index, (low, high) in enumerate(zip(scaled[:-1], scaled[1:])):
        if abs(float(high) - float(low)) > {second} * {self._draw.random():.3f}:
            logger.debug(f"{{index}}: {{low:.3f}} to {{high:.3f}}")
            break
    try:
        frame = pd.DataFrame({{"{first}": scaled, "{second}": np.arange(len(scaled))}})
        frame["rank"] = frame["{first}"].rank(pct=True)
    except (TypeError, ValueError) as error:
        raise RuntimeError(f"cannot {verb} {{len(values)}} rows") from error
    return {{"rows": frame.to_dict("records")[:limit], "total": int(scaled.sum()), **DEFAULTS}}
'''.splitlines()

    def _processor(self) -> None:
        name, field = self._word().capitalize() + self._word().capitalize(), self._word()
        self._lines += f'''
class {name}(torch.nn.Module):
    """{self._phrase(9).capitalize()}."""

    def __init__(self, {field}: int = {self._draw.randrange(8, 256)}, dropout: float = 0.1):
        super().__init__()
        self.{field} = {field}
        self.project = torch.nn.Linear({field}, {field} * 2)
        self.norm = torch.nn.LayerNorm({field} * 2)
        self._cache = {{}}

    def forward(self, inputs, mask=None):
        hidden = F.gelu(self.project(inputs))
        if mask is not None:
            hidden = hidden.masked_fill(mask.unsqueeze(-1) == 0, float("-inf"))
        pooled = hidden.mean(dim=1) if hidden.ndim == 3 else hidden
        return F.normalize(self.norm(pooled), dim=-1)

    def {self._draw.choice(_VERBS)}(self, paths):
        for path in sorted(paths, key=lambda each: str(each)):
            if path not in self._cache:
                self._cache[path] = json.loads(Path(path).read_text())
            yield self._cache[path].get("{field}", self.{field})
'''.splitlines()

    def _record(self) -> None:
        first, second = self._word(), self._word()
        self._lines += f'''
@dataclass
class {first.capitalize()}Record{self._draw.randrange(1_000)}:
    {first}: str
    size: int = {self._draw.randrange(100)}
    tags: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        return "/".join(("{second}", self.{first}.lower(), str(self.size)))

    def merge(self, other: "{first.capitalize()}Record") -> dict[str, Any]:
        known = {{tag: position for position, tag in enumerate(self.tags)}}
        return {{**known, **{{tag: -1 for tag in other.tags if tag not in known}}}}
'''.splitlines()

    def _word(self) -> str:
        return self._draw.choice(_WORDS)

    def _phrase(self, words: int) -> str:
        return " ".join(self._word() for _ in range(words))


def _tensors(draw: random.Random) -> bytes:
    """Write a valid safetensors file of one random tensor."""
    header = b'{"weight":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (WEIGHT_BYTES, WEIGHT_BYTES)
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + draw.randbytes(WEIGHT_BYTES)


def _lines(draw: random.Random) -> bytes:
    """Write lines of JSON, as text deflates: to a quarter."""
    lines, size = [], 0
    while size < 500_000:
        words = " ".join(draw.choice(_WORDS) for _ in range(20))
        line = f'{{"id": {draw.randrange(10**9)}, "score": {draw.random()}, "text": "{words}"}}\n'.encode()
        lines.append(line)
        size += len(line)
    block, blocks, size = lines, [], 0
    while size < TEXT_BYTES:
        draw.shuffle(block)
        piece = b"".join(block)
        blocks.append(piece)
        size += len(piece)
    return b"".join(blocks)
