"""What honest authors write is accepted, without a word."""

import pytest

from support.archives import extractor, judge_bytes

CORE = "processors/core.py"
IMPORTS = """\
import asyncio
import concurrent.futures
import functools
import io
import json
import logging
import operator
import os
import random
import string
import sys
import threading
import types
from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import asdict, dataclass, field, fields
from enum import Enum, IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Union

import cv2
import httpx
import numpy as np
import pandas as pd
import requests
import torch
import torch.nn as nn
import torch.nn.functional as F
import yaml
from PIL import Image, ImageFile
from pydantic import BaseModel, Field, field_validator
from transformers import AutoModel, AutoTokenizer

logger = logging.getLogger(__name__)
"""


# Pieces of code, with an empty line after each.
HONEST = r"""
logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

logging.basicConfig(level=logging.INFO, format='%(asctime)s %(message)s')

logging.getLogger('transformers').propagate = False

os.environ['TOKENIZERS_PARALLELISM'] = 'false'

os.environ.setdefault('OMP_NUM_THREADS', str(os.cpu_count() or 1))

HERE = os.path.dirname(os.path.abspath(__file__))
WEIGHTS = os.path.join(HERE, '..', 'weights')

from os import environ, path
from os.path import basename, join

path = os.path
x = path.join('a', 'b')

def walk(p: os.PathLike):
    for root, _, names in os.walk(p):
        yield from names

print(os.getpid(), os.name, os.sep, file=sys.stderr)

if sys.version_info >= (3, 11) and sys.platform == 'linux':
    pass

sys.stdout.write('x')
sys.stderr.flush()
n = sys.maxsize

try:
    f()
except Exception:
    kind, value, trace = sys.exc_info()

buffer = io.BytesIO()
Image.new('RGB', (1, 1)).save(buffer, format='PNG')
buffer.getvalue()

wrapper = io.TextIOWrapper(io.BytesIO(b'x'), encoding='utf-8')

def read(stream: io.BufferedReader, whence=io.SEEK_SET) -> io.IOBase: ...

rows = sorted(rows, key=operator.itemgetter('score'), reverse=True)

total = functools.reduce(operator.mul, [1, 2, 3])

options = types.SimpleNamespace(a=1)
view = types.MappingProxyType({})

def f(g: types.GeneratorType) -> types.NoneType: ...

async def f():
    async with asyncio.timeout(3):
        return await asyncio.gather(*map(g, xs))

loop = asyncio.get_event_loop()
loop.run_in_executor(None, f)
asyncio.run(f())

queue = asyncio.Queue(maxsize=8)
lock = asyncio.Lock()
asyncio.create_task(f())

with concurrent.futures.ThreadPoolExecutor(4) as pool:
    list(pool.map(f, xs))

from concurrent.futures import ThreadPoolExecutor, as_completed

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(2, 2)

class Net(nn.Module):
    def forward(self, x):
        return F.relu(self.net(x)) + self._bias

name = type(self).__name__ + self.__class__.__name__ + self.__class__.__module__

print(torch.__version__, np.__version__, __name__, __file__, f.__doc__, f.__qualname__)

torch.backends.cudnn.benchmark = True
torch.backends.cuda.matmul.allow_tf32 = False

torch.set_num_threads(1)
torch.manual_seed(0)
torch.set_grad_enabled(False)

device = 'cuda' if torch.cuda.is_available() else 'cpu'

if hasattr(torch.backends, 'mps') and torch.backends.mps.is_available():
    pass

dtype = getattr(torch, 'bfloat16', torch.float16)

DTYPES = {'float32': torch.float32, 'float16': torch.float16}

with torch.inference_mode(), torch.autocast('cuda', dtype=torch.float16):
    pass

@torch.no_grad()
def f(x): return x.detach().cpu().numpy()

model = AutoModel.from_pretrained('m', torch_dtype=torch.float16).eval().to('cpu')

model = AutoModel.from_pretrained('m', trust_remote_code=False, **options)

AutoTokenizer.from_pretrained('m', revision='1110a243fdf4706b3f48f1d95db1a4f5529b4d41')

state = torch.load('m.pt', map_location='cpu', weights_only=True)
model.load_state_dict(state)

fast = torch.compile(model)
traced = torch.jit.trace(model, x)
scripted = torch.jit.script(model)

from torch.utils.data import DataLoader, Dataset

y = torch.trace(x) + np.trace(z)
d: torch.types.Device = None

from torch.profiler import profile, record_function

import torchaudio, torchvision
from torchvision.io import read_image, read_video

import torchvision
video = torchvision.io.read_video('a.mp4')

from scipy import signal
from scipy.io import wavfile
signal.resample(x, 10)

import scipy.io.wavfile
import scipy.signal
rate, data = scipy.io.wavfile.read('a.wav')

import librosa
y, sr = librosa.load('a.wav', sr=16000)
librosa.feature.mfcc(y=y, sr=sr)

import soundfile as sf
data, rate = sf.read(io.BytesIO(b''))

import pyarrow as pa
pa.types.is_string(t)
pa.table({'a': [1]}).to_pandas()

pd.api.types.is_numeric_dtype(frame['a'])
pd.io.json.build_table_schema(frame)

frame.query('score > 0.5 and label == "cat"').eval('total = a + b')

threshold = 3
frame.query(f'score > {threshold}')

tree.query(points, k=3)
model.query(image, prompt)
model.eval()
session.query(Model)

frame = frame.reset_index(drop=True)
frame.loc[:, 'a'] = frame['b'].apply(lambda x: x + 1)

a = np.load('a.npy', allow_pickle=False)
b = np.load('b.npy', 'r')
np.save('c.npy', a)

x = np.linalg.norm(v, axis=1, keepdims=True)
rng = np.random.default_rng(0)

with np.errstate(divide='ignore'):
    y = np.where(x > 0, np.log(x), -np.inf)

import numpy.typing as npt
Floats = npt.NDArray[np.float32]

config = yaml.safe_load(text)
other = yaml.load(text, Loader=yaml.SafeLoader)

try:
    from yaml import CSafeLoader as Loader
except ImportError:
    from yaml import SafeLoader as Loader
yaml.load(t, Loader=Loader)

Image.MAX_IMAGE_PIXELS = None
ImageFile.LOAD_TRUNCATED_IMAGES = True

Image.MAX_IMAGE_PIXELS = 1024 * 1024 * 500

image = Image.open(path).convert('RGB')
exif = image._getexif()

cv2.setNumThreads(1)
capture = cv2.VideoCapture(path)
ok, frame = capture.read()

@dataclass(frozen=True)
class P:
    x: int = 0
    def __post_init__(self):
        object.__setattr__(self, 'x', 1)

@dataclass
class P:
    xs: List[int] = field(default_factory=list)
asdict(P())
[f.name for f in fields(P)]

P = namedtuple('P', 'x y')
p = P(1, 2)._replace(x=3)
p._asdict(), P._fields, P._make([1, 2])

class K(str, Enum):
    A = 'a'
    @classmethod
    def _missing_(cls, value):
        return cls.A
K.__members__, K('a')._value_

class M(BaseModel):
    a: str = Field(..., description='Text (any)')
    @field_validator('a')
    @classmethod
    def check(cls, value): return value

class M(BaseModel):
    model_config = {'extra': 'forbid'}
M.model_json_schema()
M.model_validate({})
M.__fields__

class M(BaseModel):
    kind: 'Optional[List[M]]' = None
M.model_rebuild()

from pydantic.types import StrictStr, conint

class C:
    @property
    def x(self): return self._x
    @x.setter
    def x(self, value): self._x = value

class C:
    @functools.cached_property
    def x(self): return 1
    @functools.lru_cache(maxsize=None)
    def y(self): return 2

def wrap(f):
    @functools.wraps(f)
    def inner(*args, **kwargs):
        return f(*args, **kwargs)
    return inner

class C:
    def __enter__(self): return self
    def __exit__(self, *error): return None
    def __len__(self): return 1
    def __getattr__(self, name): raise AttributeError(name)

class C:
    __slots__ = ('a', '__weakref__')
    __match_args__ = ('a',)
    def __init_subclass__(cls, **kw): super().__init_subclass__(**kw)

class C:
    __private = 1
    def f(self): return self.__private + C.__private

class S:
    _instance = None
    def __new__(cls, *a, **k):
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

match row:
    case {'type': 'text', **rest}:
        pass
    case [x, *others]:
        pass
    case Path(name=n) | str() as y:
        pass

'{} {name} {0[key]} {x.y}'.format(a, name=b, x=c)
'{:>10.3f}'.format(1.0)
f'{x!r:>{width}}'

PROMPT = 'Answer as JSON: {{"a": {value}}}'
PROMPT.format(value=1)

string.ascii_letters + string.punctuation
string.Template('$a').substitute(a=1)

getattr(config, 'name', None)
hasattr(config, name)
dir(config)
callable(getattr(config, 'f'))

options.get('trust_remote_code', False)
'weights_only' in options
options.pop('allow_pickle', None)

options = {'trust_remote_code': False, 'weights_only': True, 'allow_pickle': False}

class Config(BaseModel):
    trust_remote_code: bool = False

try:
    import onnxruntime as ort
except ImportError:
    ort = None
if ort is not None:
    ort.InferenceSession('m.onnx')

torch_ = torch if torch is not None else None
torch_.no_grad()

class Lazy:
    def load(self):
        import torch
        self._torch = torch
    def run(self):
        with self._torch.no_grad():
            return self._torch.zeros(1, device=self._device)

def norm(x, xp=np):
    return xp.linalg.norm(x)
norm(1, xp=torch)

def array_module():
    return np
array_module().zeros(1)

for library in (np, torch, pd):
    print(library.__name__, library.__version__)

class Job:
    def __init__(self):
        self.io = 1
        self.types = []
        self.signal = [0.0]
        self.code = 'x'
        self.os = 'linux'
    def run(self):
        return self.os, self.signal, self.code, self.io, self.types

def load(io, types, operator, sys):
    return [operator(io) for io in types]

row.os, row.site, agent.os.family, response.code, item.resource, x.trace, array.ctypes.data

def frame(f_code, tb): return f_code + tb.tb_lineno

import traceback
traceback.format_exception(type(e), e, e.__traceback__)

raise ValueError('x') from e
e.__cause__, e.__context__, e.args

if TYPE_CHECKING:
    from transformers import PreTrainedModel
def f(m: 'PreTrainedModel') -> 'List[np.ndarray]': ...

from ray import serve
@serve.deployment(num_replicas=1)
class S:
    @serve.batch(max_batch_size=8)
    async def f(self, xs): return xs
serve.get_multiplexed_model_id()

from tqdm.asyncio import tqdm
from tqdm import tqdm as bar

requests.get(url, timeout=3).raise_for_status()
requests.exceptions.HTTPError
httpx.Client(timeout=3)

from urllib.parse import urlparse
import urllib.parse
urllib.parse.quote('x')

threading.Lock()
threading.local().x = 1
thread = threading.Thread(target=f, daemon=True)

from safetensors.torch import load_file
from safetensors import safe_open
import safetensors.torch
safetensors.torch.load_file('x')

from sentence_transformers import SentenceTransformer, util
util.cos_sim(a, b)

import sklearn.metrics
from sklearn.feature_extraction.text import TfidfVectorizer

import polars as pl
pl.read_parquet('x').select(pl.col('a').eval if x else 1)

from shared.plugins.sdk import run_tool, parallel_io
from shared.plugins import open_asset

from engine.models import LazyModelMixin, lazy_model
import engine.plugins.extractors.pipeline

from . import types as kinds
from .types import os as operating_system
kinds.os, operating_system

def test_it(monkeypatch):
    monkeypatch.setenv('A', 'b')
    monkeypatch.setattr('processors.core.f', g)

import pytest
@pytest.mark.parametrize('x', [1])
def test_it(x: int, tmp_path: Path) -> None:
    assert pytest.approx(1.0) == x

def f(*args: Any, timeout: float | None = None, **kwargs: Any) -> Dict[str, Union[int, str]]: ...

Alias = Dict[str, 'Any']

global_config: Optional[Dict[str, Any]] = None
def configure():
    global global_config
    global_config = {}

squares = {x: [y for y in range(x) if y % 2] for x in range(3)}
if (n := len(squares)) > 1: pass

x = x.T
model = model.module if hasattr(model, 'module') else model
node = node.parent

Image = Image.Image
linear = nn
linear = linear.Linear

self.model.config.use_cache = False
self.processor.tokenizer.padding_side = 'left'

Path(__file__).parent.joinpath('labels.json').read_text()
with Path('x').open('rb') as file: pass

del frame['a']
del self.cache[key]
del x

assert isinstance(x, (np.ndarray, torch.Tensor)), type(x)

np.vectorize(f)(x)
"""


@pytest.mark.parametrize("code", HONEST.strip().split("\n\n"))
def test_honest_code_is_accepted(code: str) -> None:
    files = {
        "processors/__init__.py": "",
        "processors/types.py": "os = 'linux'\n",
        CORE: f"{IMPORTS}\n{code}\n",
    }

    findings = judge_bytes(extractor(files)).findings

    assert not [(each.rule, each.problem.message) for each in findings if not each.rule.startswith("SEQ")]
