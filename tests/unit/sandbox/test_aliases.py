"""Names are followed, wherever they go: what is refused by one name is refused by every other."""

import textwrap

import pytest

from support.archives import extractor, judge_bytes, rejections

CORE = "processors/core.py"
HARMLESS = "import logging\nimport torch\nimport numpy as np\n"


def judged(code: str, **more: str) -> set[str]:
    files = {f"{name.replace('__', '/')}.py": text for name, text in more.items()}
    return rejections(judge_bytes(extractor({"processors/__init__.py": "", CORE: code + "\n"} | files)))


@pytest.mark.parametrize(
    "code",
    [
        "t = torch\nt.hub.load(x)",
        "t = u = torch\nu.hub.load(x)",
        "a, t = 1, torch\nt.hub",
        "(a, (b, t)) = (1, (2, torch))\nt.hub",
        "[a, t] = [1, torch]\nt.hub",
        "t: object = torch\nt.hub",
        "(t := torch).hub",
        "if (t := torch): pass\nt.hub",
        "[(t := torch) for x in y]\nt.hub",
        "[t.hub for x in y if (t := torch)]",
        "for t in (torch, np): t.hub",
        "for t in [torch]:\n    pass\nt.hub",
        "[t.hub for t in (torch,)]",
        "{k: t.hub for t in {torch}}",
        "def f(t=torch):\n    t.hub",
        "def f(*, t=torch):\n    t.hub",
        "lambda a, t=torch: t.hub",
        "class A:\n    t = torch\n    def f(self):\n        self.t.hub",
        "class A:\n    t = torch\nA.t.hub",
        "class A:\n    import torch as t\nA().t.hub",
        "class A:\n    def f(self):\n        self.t = torch\n    def g(self):\n        self.t.hub",
        "class A:\n    def f(self):\n        self.__t = torch\n    def g(self):\n        self.__t.hub",
        "class A:\n    def __init__(self):\n        self.__t = torch\nA()._A__t.hub",
        "_A__t = torch\nclass A:\n    def f(self):\n        __t.hub",
        "class A:\n    import torch as __t\n_ = A._A__t.hub",
        "def f():\n    global t\n    t = torch\ndef g():\n    t.hub",
        "t = torch\ndef f(t):\n    def g():\n        global t\n        t.hub",
        "def f():\n    t = None\n    def g():\n        nonlocal t\n        t = torch\n    t.hub",
        "try:\n    t = torch\nexcept E:\n    t = None\nt.hub",
        "t = None\nif x:\n    t = torch\nt.hub",
        "t = torch if x else np\nt.hub",
        "t = x or torch\nt.hub",
        "(torch if x else np).hub",
        "(x and torch).hub",
        "a = torch\nb = a\nc = b\nc.hub",
        "c = b\nb = a\na = torch\nc.hub",
        "m = torch\nm = m.utils\nm = m.cpp_extension",
        "m = torch\nfor n in names:\n    m = m.utils\n    m.cpp_extension",
        "getattr(torch, 'hub').load",
        "t = getattr(torch, 'utils')\ngetattr(t, 'cpp_extension')",
        "import torch.nn\ntorch.hub",
        "import torch.utils as u\nu.cpp_extension",
        "from torch import utils as u\nu.cpp_extension.load",
        "def f():\n    import torch as t\n    t.hub",
        "def f():\n    return torch\nf().hub",
        "def f(m):\n    return m.hub\nf(torch)",
        "f = lambda: torch\nf().hub",
        "(lambda m: m.hub)(torch)",
        "m = [torch][0]\nm.hub",
        "m = np\nm = [torch][0]\nm.hub",
        "def f(m=np):\n    m.hub\nf(*[torch])",
        "import numpy as m\nm = next(iter([torch]))\nm.hub",
        "class A:\n    t = torch\nm = np\nm = A()\nm.t.hub",
        "m = np if x else [torch][0]\nm.hub",
        "d = {'t': torch}\nd['t'].hub",
        "d = {}\nd['t'] = torch\nd['t'].hub",
        "next(iter((torch,))).hub",
        "list(map(lambda m: m.hub, [torch]))",
        "def f():\n    yield torch\nfor m in f():\n    m.hub",
        "match torch:\n    case m:\n        m.hub",
        "match x:\n    case object(t=m):\n        m.hub\nx.t = torch",
        "import contextlib\nwith contextlib.nullcontext(torch) as m:\n    m.hub",
        "import functools\nfunctools.partial(f, torch)\ndef f(m):\n    m.hub",
        "async def f():\n    return torch\nasync def g():\n    (await f()).hub",
    ],
)
def test_names_of_a_library_are_followed(code: str) -> None:
    assert judged(HARMLESS + code) == {"C10"}


@pytest.mark.parametrize(
    "code",
    [
        "m = logging\nm.os.system('true')",
        "class A:\n    log = logging\n    def f(self):\n        self.log.os.system('true')",
        "class A:\n    log = logging\n    def f(self):\n        self.log._nope",
        "def f(m):\n    m.os.system('true')\nf(logging)",
        "def f(m):\n    return m._os\nf(np.random)\nimport numpy.random\n",
        "def f(m):\n    return getattr(m, 'os')\nf(logging)",
        "from os import path\ndef f(p):\n    p.os\nf(path)",
        "def f(x):\n    match x:\n        case object(os=o):\n            return o\nf(logging)",
        "for m in sorted([logging]):\n    m.sys",
        "m = {0: logging}.get(0)\nm.os",
        "def f(p=np):\n    p._core",
        "try:\n    assert False, logging\nexcept AssertionError as e:\n    e.args[0].os",
        "class A:\n    def __eq__(self, m): m.os\nA() == logging",
        "class A:\n    def __getitem__(self, m): m.os\nA()[logging]",
        "class A:\n    def __init_subclass__(cls, m): m.os\nclass B(A, m=logging): pass",
        "class A:\n    def __iadd__(self, m): m.os\na += logging",
        "class A:\n    MEMBER = logging\nA.MEMBER.value.os",
        "def f(m: logging): pass\nf.__annotations__['m'].os",
        "def print(m): m.os\nprint(logging)",
        "def f(m):\n    m.sys.modules\nraise f(logging)",
        "logging.handlers.SocketHandler",
        "logging.config.dictConfig({})",
        "import os\nf(os.path)\ndef f(m):\n    m.os",
        "p = np\np = p.lib\np._utils_impl",
    ],
)
def test_names_of_a_module_are_followed(code: str) -> None:
    assert judged(HARMLESS + code) == {"C06"}


@pytest.mark.parametrize(
    ("code", "other"),
    [
        ("from .other import toolkit\ntoolkit.system('true')", "import os as toolkit"),
        ("from .other import toolkit as t\nt.system('true')", "import os as toolkit"),
        ("from . import other\nother.toolkit.system('true')", "import os as toolkit"),
        ("from . import other as o\no.os.popen('true')", "import os"),
        ("import processors.other\nprocessors.other.os.popen('true')", "import os"),
        ("import processors.other as o\no.os.popen('true')", "import os"),
        ("from processors import other\nother.os.popen('true')", "import os"),
        ("from processors.other import os\nos.popen('true')", "import os"),
        ("from .. import processors\nprocessors.other.os.popen('true')", "import os"),
        ("from . import other\nx = other.os", "import os"),
        ("from .other import os\nf(os)", "import os"),
        ("from . import other\ngetattr(other, 'os').system", "import os"),
        ("from . import other\nt = other\nt.log.os", "import logging as log"),
        ("from . import other\ndef f(m):\n    m.os.system('true')\nf(other)", "import os"),
        ("from .other import log\nlog._private", "import logging\nlog = logging"),
        ("from .other import A\nA.log.os", "import logging\nclass A:\n    log = logging"),
        ("from .other import a\na.log.os", "import logging\nclass A:\n    log = logging\na = A()"),
        ("def f(m):\n    m.os.system('true')", "import logging\nfrom .core import f\nf(logging)"),
        ("from .other import get\nget().os", "import logging\ndef get():\n    return logging"),
        ("from .other import missing\nmissing.os", "import logging\ndef __getattr__(n):\n    return logging"),
        ("from .other import log\nlog.os", "from processors.core import log\nimport logging as log"),
        ("from . import other\nother.log = f", "import logging as log\nlog.x = f"),
    ],
)
def test_names_are_followed_through_files(code: str, other: str) -> None:
    assert judged(code, processors__other=other + "\n") == {"C06"}


@pytest.mark.parametrize("depth", [2, 5])
def test_names_are_followed_through_chains_of_files(depth: int) -> None:
    links = {
        f"processors__link{number}": f"from .link{number + 1} import m{number + 1} as m{number}\n"
        for number in range(depth)
    }
    links[f"processors__link{depth}"] = f"import logging as m{depth}\n"

    assert judged("from .link0 import m0\nm0.os", **links) == {"C06"}


def test_names_that_stand_for_too_much_are_not_forgotten() -> None:
    flood = "\n".join(f"m = np.a{number}" for number in range(300))

    assert judged(f"{HARMLESS}{flood}\nm = torch.jit\nm.load(x)") == {"C10"}


def test_names_without_end_come_to_one() -> None:
    assert judged(f"{HARMLESS}m = np\nm = m.a\nm = m.b\nm = m.c\nn = n.x\nn = m\nm = n") == set()


VIOLATIONS = {
    "C04": "import subprocess\nsubprocess.run(['true'])",
    "C05": "eval('1')",
    "C06": "import os as o\no.system('true')",
    "C08": "def f(x: 'f()'): pass",
    "C09": "frame.query('@f(x)')",
    "C10": "import numpy\nnumpy.load(p, allow_pickle=True)",
    "C11": "load(p, trust_remote_code=True)",
}
WRAPPINGS = {
    "a function": "def wrapped():\n{0}",
    "a method": "class W:\n    def wrapped(self):\n{1}",
    "a class": "class W:\n{0}",
    "try": "try:\n{0}\nexcept Exception:\n    pass",
    "except": "try:\n    pass\nexcept Exception:\n{0}",
    "finally": "try:\n    pass\nfinally:\n{0}",
    "if": "if False:\n{0}",
    "else": "if True:\n    pass\nelse:\n{0}",
    "TYPE_CHECKING": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n{0}",
    "a loop": "for x in y:\n{0}",
    "while": "while x:\n{0}",
    "with": "with x:\n{0}",
    "match": "match x:\n    case 1:\n{1}",
    "an async function": "async def wrapped():\n{0}",
    "a nested function": "def outer():\n    def inner():\n{1}",
    "a comment": "# nosec\n{2}  # noqa  # type: ignore  # nosec",
}


@pytest.mark.parametrize("path", [CORE, "tests/test_x.py", "realtime.py", "stubs.pyi", "a/b/c/d.py"])
@pytest.mark.parametrize("rule", VIOLATIONS)
def test_it_does_not_matter_which_file_it_is_in(rule: str, path: str) -> None:
    assert rejections(judge_bytes(extractor({path: VIOLATIONS[rule] + "\n"}))) == {rule}


@pytest.mark.parametrize("wrapping", WRAPPINGS.values(), ids=WRAPPINGS)
@pytest.mark.parametrize("rule", VIOLATIONS)
def test_it_does_not_matter_what_is_around_it(rule: str, wrapping: str) -> None:
    code = VIOLATIONS[rule]
    inner = (textwrap.indent(code, " " * 4), textwrap.indent(code, " " * 8), code)

    assert judged(wrapping.format(*inner)) == {rule}


@pytest.mark.parametrize(
    "expression",
    [
        "(lambda: {})",
        "[{} for x in y]",
        "[x for x in y if {}]",
        "{{k: {} for k in y}}",
        "list({} for x in y)",
        "f(x)[{}]",
        "x if {} else y",
        "f'{{{}}}'",
        "f(*[{}])",
        "f(**{{'k': {}}})",
        "not {}",
        "x = y = {}",
        "x: object = {}",
        "assert {}",
        "@f({})\ndef g(): pass",
        "def g(x={}): pass",
        "class A({}): pass",
        "class A(metaclass={}): pass",
        "def g(x: {}): pass",
        "def g() -> {}: pass",
        "raise {}",
        "del x[{}]",
        "async def g():\n    await {}",
    ],
)
@pytest.mark.parametrize("rule", ["C05", "C06", "C09", "C10", "C11"])
def test_it_does_not_matter_which_expression_holds_it(rule: str, expression: str) -> None:
    *imports, code = VIOLATIONS[rule].split("\n")
    quoted = code.replace("'", '"')

    assert judged("\n".join([*imports, expression.format(quoted)])) == {rule}
