"""Attributes lead nowhere: not out of an object, not from one module to another, under no name."""

import pytest

from extractor_sandbox import imports
from support.archives import extractor, judge_bytes, rejections

CORE = "processors/core.py"


def judged(code: str, **more: str) -> set[str]:
    files = {f"processors/{name}.py": text for name, text in more.items()}
    return rejections(judge_bytes(extractor({"processors/__init__.py": "", CORE: code + "\n"} | files)))


@pytest.mark.parametrize(
    "code",
    [
        "().__class__.__base__.__subclasses__()",
        "x.__globals__",
        "x.__dict__",
        "x.__bases__",
        "type(x).__mro__",
        "x.__init__.__func__",
        "print.__self__",
        "x.__code__ = y",
        "del x.__defaults__",
        "x.__reduce_ex__(2)",
        "object.__getattribute__(x, name)",
        "object.__setattr__(other, 'x', 1)",
        "object.__setattr__(self, name, 1)",
        "object.__setattr__(self, '__class__', Y)",
        "super().__setattr__(name, value)",
        "(x for x in y).gi_frame.f_back.f_builtins",
        "x.cr_frame",
        "x.ag_code",
        "try:\n    f()\nexcept E as e:\n    e.__traceback__.tb_frame",
        "getattr(x, '__globals__')",
        "getattr(x, 'gi_' 'frame')",
        "match f:\n    case object(__globals__=g):\n        pass",
        "match f:\n    case object(gi_frame=g):\n        pass",
        "class A:\n    __match_args__ = ('__globals__',)",
        "class A:\n    __match_args__ = (name,)",
        "class A:\n    __match_args__ = names",
        "class A:\n    (__match_args__, x) = (('__globals__',), 1)",
        "type('A', (), {'__match_args__': ('__globals__',)})",
        "from . import __builtins__",
        "from .types import __loader__ as loader",
        "from numpy import __builtins__",
        "logging.__loader__",
        "import logging\nlogging.__spec__.loader",
    ],
)
def test_attributes_do_not_lead_out_of_an_object(code: str) -> None:
    assert judged(code, types="") == {"C06"}


@pytest.mark.parametrize(
    "code",
    [
        "getattr(x, name)",
        "getattr(x, 'a' + 'b')",
        "getattr(x, f'{a}')",
        "getattr(x, *names)",
        "getattr(*both)",
        "getattr(x, 'a', *rest)",
        "read = getattr",
        "map(getattr, xs, names)",
        "functools.reduce(getattr, names, x)",
        "(getattr)(x, name)",
        "getattr(x, str('a'))",
        "getattr",
        "def getattr(m, name): return m\ngetattr(x, 'a')",
        "def hasattr(m, name): return m.system\nimport os\nhasattr(os, 'a')",
        "import operator\noperator.attrgetter('a')",
        "from operator import methodcaller",
        "from operator import attrgetter as get",
        "import operator as o\nsorted(xs, key=o.attrgetter('a'))",
        "import string\nstring.Formatter().get_field('0.x', (y,), {})",
    ],
)
def test_attributes_are_not_read_by_computed_names(code: str) -> None:
    assert judged(code) == {"C06"}


@pytest.mark.parametrize(
    "code",
    [
        "'{0.__init__}'.format(x)",
        "'{.__class__}'.format(x)",
        "'{x[0].__dict__}'.format_map(y)",
        "FORMAT = '{a.b.__globals__[x]}'",
        "'{0:{1.__class__}}'.format(x, y)",
        "'{0!r:>{w.__len__}}'.format(x)",
        "'text {self.__name} text'.format(self=self)",
        "'{0.gi_frame.f_globals}'.format(g)",
        "f'{{0.__init__}}'.format(x)",
        "('{0' '.__init__}').format(x)",
    ],
)
def test_formats_read_no_dunder_attribute(code: str) -> None:
    assert judged(code) == {"C06"}


@pytest.mark.parametrize(
    "code",
    [
        *(
            f"import os\nos.{name}"
            for name in (
                *(
                    "system",
                    "popen",
                    "execv",
                    "spawnl",
                    "fork",
                    "kill",
                    "_exit",
                    "putenv",
                    "chmod",
                    "symlink",
                ),
                *("open", "read", "pipe", "dup2", "startfile", "posix_spawn", "environb", "link", "truncate"),
                *("__dict__", "__file__", "sys", "abc", "path.os", "path.genericpath", "path.__builtins__"),
            )
        ),
        *(
            f"import sys\nsys.{name}"
            for name in (
                "modules",
                "path",
                "argv",
                "exit",
                "stdin",
                "_getframe",
                "settrace",
                "meta_path",
                "__stdout__",
            )
        ),
        *(f"import io\nio.{name}" for name in ("open", "FileIO", "open_code", "text_encoding", "_io")),
        "import urllib.parse\nurllib.request.urlopen(x)",
        "import asyncio\nasyncio.create_subprocess_shell(x)",
        "import asyncio\nasyncio.subprocess.PIPE",
        "from asyncio import subprocess",
        "from asyncio import create_subprocess_exec",
        "from asyncio.subprocess import PIPE",
        "import asyncio\nasyncio.open_connection(h, 1)",
        "import asyncio\nasyncio.start_server(f)",
        "from asyncio.streams import open_connection",
        "import asyncio\nasyncio.get_running_loop().subprocess_exec(x)",
        "loop.subprocess_shell(factory, cmd)",
        "loop.create_unix_connection(factory)",
        "import asyncio\nasyncio.get_event_loop().create_server(f)",
        "import types\ntypes.FunctionType(c, g)",
        "from types import CodeType",
        "from types import ModuleType as M",
        "import types as t\nt.LambdaType",
        "import typing\ntyping.get_type_hints(x)",
        "from typing import ForwardRef",
        "from typing_extensions import get_type_hints",
        "import concurrent.futures\nconcurrent.futures.ProcessPoolExecutor()",
        "from concurrent.futures import ProcessPoolExecutor",
        "from concurrent import futures\nfutures.ProcessPoolExecutor()",
        "import concurrent.futures.process",
        "from concurrent.futures.process import BrokenProcessPool",
        "from os import system as s",
        "from os import path, popen",
        "from sys import modules",
        "from io import open",
        "from os.path import os",
        "import pydantic\npydantic.TypeAdapter(pydantic.ImportString)",
        "import pytest\npytest.importorskip('subprocess')",
    ],
)
def test_what_is_not_on_a_modules_list_is_not_used(code: str) -> None:
    assert judged(code) == {"C06"}


@pytest.mark.parametrize(
    "code",
    [
        "import logging\nlogging.os.system('true')",
        "import logging\nlogging.sys.modules",
        "import random\nrandom._os.system('true')",
        "import tempfile\ntempfile._shutil",
        "import pathlib\npathlib.os",
        "import numpy as np\nnp._core.os",
        "import numpy as np\nnp.lib.npyio.os.popen('true')",
        "import torch\ntorch._C",
        "import torch.nn as nn\nnn.modules.module._global_forward_hooks",
        "from torch import _C",
        "from torch._inductor import config",
        "import collections\ncollections._sys",
        "import transformers\ntransformers.utils.importlib.import_module('os')",
        "from transformers.utils import importlib",
        "import librosa\nlibrosa.core.audio.subprocess",
        "import PIL.Image\nPIL.Image.builtins",
        "from json import codecs",
        "import asyncio\nasyncio.base_events.subprocess",
        "from ray import serve\nserve.api.cloudpickle",
        "from ray import serve\nserve.api.ray.remote",
        "from shared.plugins.sdk import subprocess",
        "import engine.models\nengine.models._cache",
        "import extractor_runtime.sdk.tools\nextractor_runtime.tools.subprocess",
        "import logging\ngetattr(logging, 'os').system('true')",
        "import logging\ngetattr(logging, 'os', None)",
    ],
)
def test_modules_are_not_reached_through_others(code: str) -> None:
    assert judged(code) == {"C06"}


@pytest.mark.parametrize(
    "hop", ["os", "sys", "subprocess", "builtins", "importlib", "pickle", "_os", "__dict__"]
)
def test_no_module_leads_to_another(hop: str) -> None:
    roots = sorted((imports.STANDARD | imports.THIRD_PARTY) - {"__future__", "urllib"})
    files = {f"{root}_.py": f"import {root} as m\nm.{hop}\n" for root in roots}

    outcome = judge_bytes(extractor(files))

    assert {each.problem.path for each in outcome.findings if each.rule == "C06"} == files.keys()


@pytest.mark.parametrize(
    "code",
    [
        "import {0}\nx = {0}",
        "import {0} as m\nx = [m]",
        "import {0}\nf({0})",
        "import {0}\nf(key={0})",
        "import {0}\ndef f():\n    return {0}",
        "import {0}\nf = lambda: {0}",
        "import {0}\nx = {0} if a else b",
        "import {0}\n(a or {0}).x",
        "import {0}\ndef f(m={0}):\n    pass",
        "import {0}\nwith {0} as m:\n    pass",
        "import {0}\nfor m in ({0},):\n    pass",
        "import {0}\nmatch {0}:\n    case m:\n        pass",
        "import {0}\n(m := {0})",
        "import {0}\nx = {{'m': {0}}}",
        "import {0}\nself.m = {0}",
        "import {0}\nx = f'{{{0}}}'",
        "import {0}\ndef f():\n    yield {0}",
        "import {0}\nprint(*[{0}])",
        "import {0}\n{0}",
    ],
)
@pytest.mark.parametrize("module", ["os", "sys", "io", "types", "operator", "asyncio"])
def test_dangerous_modules_are_no_values(code: str, module: str) -> None:
    assert judged(code.format(module)) == {"C06"}


@pytest.mark.parametrize(
    "code",
    [
        "import requests\nrequests.get = fake",
        "import numpy as np\nnp.float = float",
        "import json\njson.loads, x = f, 1",
        "import json\nfor json.loads in fs: pass",
        "import json\nwith f() as json.loads: pass",
        "import json\ndel json.loads",
        "import json\njson.x += f()",
        "import json\njson.x: object = f()",
        "import json\n[0 for json.loads in fs]",
        "import logging\nlogging.Logger.info = f",
        "from transformers import AutoModel\nAutoModel.from_pretrained = f",
        "import sys\nsys.stdout = f",
        "import os\nos.environ = {'A': f()}",
        "import torch\ntorch.nn.Module.__call__ = f",
        "import json as j\nk = j\nk.loads = f",
    ],
)
def test_modules_are_not_changed(code: str) -> None:
    assert judged(code) == {"C06"}


def test_findings_name_the_place_the_construct_and_the_way_out() -> None:
    outcome = judge_bytes(extractor({"core.py": "import os\n\ndef f():\n    return os.system('true')\n"}))

    [finding] = outcome.findings
    problem = finding.problem
    assert (finding.rule, problem.path, problem.line, problem.column) == ("C06", "core.py", 4, 12)
    assert problem.message == "uses os.system"
    assert problem.advice == "Start a tool with run_tool of shared.plugins.sdk."
