"""Nothing is loaded or evaluated that can hold code."""

import pytest

from support.archives import extractor, judge_bytes, rejections, warnings

CORE = "processors/core.py"


def judged(code: str, **more: str) -> set[str]:
    files = {f"processors/{name}.py": text for name, text in more.items()}
    return rejections(judge_bytes(extractor({"processors/__init__.py": "", CORE: code + "\n"} | files)))


@pytest.mark.parametrize(
    "code",
    [
        "df.eval('@x')",
        "df.query('a.__class__')",
        "df.query('f(x)')",
        "df.query(expr='name.str.len() > 3')",
        "df.eval(f'{a} + @b')",
        "df.eval('a + ' + '@b')",
        "df.eval('x = %s.f()' % a)",
        "df.query(' and '.join(['a > 1', '@b']))",
        "df.query('a' if x else '@b')",
        "df.query(*['@b'])",
        "df.query(**{'expr': '@b'})",
        "EXPRESSION = '@b'\ndf.query(EXPRESSION)",
        "q = df.query\nq('@b')",
        "getattr(df, 'query')('@b')",
        "pd.DataFrame.eval(df, '@b')",
        "df.a.b().query('_' '_x__')",
        "import pandas\npandas.eval('1 + 1')",
        "import pandas as pd\nf = pd.eval",
        "from pandas import eval as e",
        "from pandas.core.computation import eval",
        "import pandas.core.computation.api",
        "from PIL import ImageMath",
        "import PIL.ImageMath",
        "import PIL.ImageMath as im",
        "from PIL.ImageMath import eval as e",
    ],
)
def test_expressions_run_no_code(code: str) -> None:
    assert judged(code) == {"C09"}


@pytest.mark.parametrize(
    "code",
    [
        "torch.load(p, weights_only=False)",
        "torch.load(p, weights_only=safe)",
        "torch.load(p, weights_only=not True)",
        "torch.load(p, weights_only=1)",
        "torch.load(p, weights_only=None)",
        "torch.load(p, **{'weights_only': False})",
        "torch.load(p, **options)",
        "torch.load(*arguments)",
        "load = torch.load\nload(p, **options)",
        "from torch import load as fetch\nfetch(p, **options)",
        "torch.serialization.load(p, **options)",
        "functools.partial(torch.load, weights_only=False)",
        "anything(weights_only=False)",
        "options = {'weights_only': False}",
        "options = dict(weights_only=False)",
        "options['weights_only'] = False",
        "options.setdefault('weights_only', False)",
        "options.update([('weights_only', False)])",
        "options = dict.fromkeys(['weights_only'], False)",
        "options = {'weights' + '_only': False}",
        "options = {'weights' '_only': False}",
        "options = {'weights\\x5fonly': False}",
        "torch.jit.load(p)",
        "torch.hub.load(a, b)",
        "torch.package.PackageImporter(p)",
        "torch.ops.load_library(p)",
        "torch.classes.load_library(p)",
        "torch.multiprocessing.spawn(f)",
        "torch.distributed.init_process_group()",
        "torch.utils.cpp_extension.load(n, s)",
        "import torch.hub",
        "import torch.hub as h",
        "from torch import hub",
        "from torch.hub import load_state_dict_from_url",
        "from torch import multiprocessing as mp",
        "from torch.jit import load",
        "from torch import jit\njit.load(p)",
        "from torch.utils.cpp_extension import load_inline",
        "import torch.distributed as dist",
        "torch.nn.functional.torch.hub",
        "import transformers\ntransformers.utils.torch.hub.load(x)",
        "model.ops.load_library(p)",
        "os.environ['TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'] = '1'",
    ],
)
def test_torch_loads_no_code(code: str) -> None:
    assert judged("import torch\nimport functools\nimport os\n" + code) == {"C10"}


@pytest.mark.parametrize(
    "code",
    [
        "np.load(p, allow_pickle=True)",
        "np.load(p, allow_pickle=flag)",
        "np.load(p, None, True)",
        "np.load(*arguments)",
        "np.load(p, **options)",
        "np.save(p, a, allow_pickle=True)",
        "np.lib.format.read_array(f, True)",
        "options = {'allow_pickle': True}",
        "from numpy import load\nload(p, None, True)",
        "np.ctypeslib.load_library(a, b)",
        "np.f2py.compile(x)",
        "np.testing.assert_allclose(a, b)",
        "from numpy import ctypeslib",
        "import numpy.f2py",
        "import numpy.distutils.core",
        "import pandas as pd\npd.read_pickle(p)",
        "from pandas import read_pickle",
        "import pandas as pd\npd.io.pickle.read_pickle(p)",
        "import pandas as pd\npd.io.api.read_pickle(p)",
        "import pandas\nmap(pandas.read_pickle, ps)",
        "frame.read_pickle(p)",
        "session.register_custom_ops_library(p)",
        "import onnxruntime as o\no.SessionOptions().register_custom_ops_library(p)",
    ],
)
def test_arrays_and_tables_hold_no_pickles(code: str) -> None:
    assert judged("import numpy as np\n" + code) == {"C10"}


@pytest.mark.parametrize(
    "code",
    [
        "yaml.load(s)",
        "yaml.load(s, yaml.Loader)",
        "yaml.load(s, Loader=yaml.Loader)",
        "yaml.load(s, Loader=yaml.FullLoader)",
        "yaml.load(s, Loader=yaml.UnsafeLoader)",
        "yaml.load(s, Loader=loader)",
        "yaml.load(s, Loader=yaml.BaseLoader)",
        "yaml.load(s, Loader=yaml.SafeLoader if x else loader())",
        "yaml.load(s, **options)",
        "yaml.load_all(s)",
        "yaml.unsafe_load(s)",
        "yaml.full_load(s)",
        "yaml.full_load_all(s)",
        "load = yaml.load",
        "map(yaml.load, texts)",
        "from yaml import load\nload(s)",
        "from yaml import unsafe_load",
        "from yaml import Loader",
        "from yaml import CLoader as Loader",
        "class L(yaml.Loader): pass",
        "from yaml.loader import UnsafeLoader",
        "from yaml import constructor\nconstructor.UnsafeConstructor",
        "class A:\n    y = yaml\n    def f(self):\n        self.y.load(s)",
        "import yaml as y\ny.load(s)",
        "import huggingface_hub\nhuggingface_hub.utils.yaml.load(s)",
        "Loader = yaml.SafeLoader\nif x:\n    Loader = yaml.Loader\nyaml.load(s, Loader=Loader)",
    ],
)
def test_yaml_is_loaded_safely(code: str) -> None:
    assert judged("import yaml\n" + code) == {"C10"}


@pytest.mark.parametrize(
    "code",
    [
        "AutoModel.from_pretrained(p, trust_remote_code=True)",
        "AutoModel.from_pretrained(p, trust_remote_code=flag)",
        "AutoModel.from_pretrained(p, trust_remote_code=1)",
        "AutoModel.from_pretrained(p, trust_remote_code=not False)",
        "AutoModel.from_pretrained(p, **{'trust_remote_code': True})",
        "AutoModel.from_pretrained(p, **dict(trust_remote_code=True))",
        "AutoModel.from_pretrained(p, **dict([('trust_remote_code', True)]))",
        "AutoModel.from_pretrained(p, **{'trust_' + 'remote_code': True})",
        "AutoModel.from_pretrained(p, **dict(zip(['trust_remote_code'], [True])))",
        "options['trust_remote_code'] = True",
        "options |= {'trust_remote_code': True}",
        "options.setdefault('trust_remote_code', True)",
        "functools.partial(load, trust_remote_code=True)",
        "load_dataset(p, trust_remote_code=True)",
        "SentenceTransformer(p, trust_remote_code=True)",
        "KEY = 'trust_remote_code'\noptions = {KEY: True}",
        "OPTIONS = {'model': {'trust_remote_code': 1}}",
        "class Config:\n    trust_remote_code: bool = True",
        "class Config:\n    trust_remote_code = True",
        "config.trust_remote_code = True",
        "from transformers import dynamic_module_utils",
        "from transformers.dynamic_module_utils import get_class_from_dynamic_module",
    ],
)
def test_remote_code_is_not_trusted(code: str) -> None:
    assert judged(code) == {"C11"}


@pytest.mark.parametrize(
    "code",
    [
        "torch.load(p)",
        "torch.load(p, map_location='cpu')",
        "from torch import load as fetch\nfetch(p)",
        "class A:\n    def f(self):\n        import torch as t\n        self.t = t\n        self.t.load(p)",
    ],
)
def test_torch_load_without_the_keyword_is_a_warning(code: str) -> None:
    outcome = judge_bytes(extractor({"core.py": f"import torch\n{code}\n"}))

    assert (rejections(outcome), warnings(outcome)) == (set(), {"C10"})


def test_arguments_that_nobody_sees_come_with_the_way_out() -> None:
    load = (
        "import json\nfrom transformers import AutoModel\nAutoModel.from_pretrained(p{}, **json.loads(s))\n"
    )

    [finding] = judge_bytes(extractor({"core.py": load.format("")})).findings
    assert finding.problem.advice == "Write trust_remote_code=False beside them."
    assert rejections(judge_bytes(extractor({"core.py": load.format(", trust_remote_code=False")}))) == set()
