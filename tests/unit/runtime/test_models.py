"""Where models are found, that a process loads one once, and what is said when it cannot."""

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extractor_runtime import loader
from extractor_runtime.sdk import models
from extractor_runtime.sdk.models import keeper, sources, weights
from support.counted_models import CountedModel

LOADER = "from extractor_runtime.sdk import models\ndef load(name):\n    return {call}\n"


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the folder of the platform's models, with one in it."""
    folder = tmp_path / "platform"
    folder.mkdir()
    (folder / "net_1.0.0.onnx").write_bytes(b"onnx")
    monkeypatch.setenv("EXTRACTOR_MODELS", str(folder))
    return folder


@pytest.fixture
def archive(tmp_path: Path) -> Callable[[str], Callable[[str], Any]]:
    """Import an archive whose ``load`` is written as given, and return that function."""
    root = tmp_path / "archive"
    (root / "models").mkdir(parents=True)

    def write(call: str) -> Callable[[str], Any]:
        (root / "core.py").write_text(LOADER.format(call=call))
        tree = loader.Tree(root, f"sha256:{hashlib.sha256(str(root).encode()).hexdigest()}")
        load: Callable[[str], Any] = loader.load(tree, "core").load
        return load

    return write


def test_model_of_the_platform_is_found_by_its_name(platform: Path) -> None:
    assert models.load_namespace_model("net_1.0.0") == b"onnx"


def test_folder_of_weights_is_a_model(platform: Path) -> None:
    (platform / "folder").mkdir()
    (platform / "folder" / "model.onnx").write_bytes(b"in a folder")

    assert models.load_namespace_model("folder") == b"in a folder"


REFUSED = {
    "another one": ("net_2.0.0", r"no model net_2\.0\.0 among those .*: empty, net_1\.0\.0\.onnx, two$"),
    "a way out": ("../secret", "'../secret' is no model's name"),
    "the folder itself": (".", "'.' is no model's name"),
    "nothing": ("", "'' is no model's name"),
    "an absolute path": ("/etc/passwd", "'/etc/passwd' is no model's name"),
    "a folder without weights": ("empty", "the folder of model empty holds no weights"),
    "a folder with two": ("two", r"holds several models \(a\.onnx, b\.onnx\): keep one"),
}


@pytest.mark.parametrize(("name", "want"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_model_is_refused(platform: Path, name: str, want: str) -> None:
    (platform / "empty").mkdir()
    (platform / "two").mkdir()
    for file in ("a.onnx", "b.onnx"):
        (platform / "two" / file).touch()
    (platform.parent / "secret").touch()

    with pytest.raises(models.ModelError, match=want):
        models.load_namespace_model(name)


def test_platform_without_models_says_which_variable_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXTRACTOR_MODELS", raising=False)

    with pytest.raises(models.ModelError, match="EXTRACTOR_MODELS names no folder of models"):
        models.load_namespace_model("net")


def test_relative_path_is_one_of_the_archive_that_asks(
    archive: Callable[[str], Callable[[str], Any]], tmp_path: Path
) -> None:
    find = archive("__import__('extractor_runtime.sdk.models.sources', fromlist=['x']).in_archive(name)")

    assert find("models") == tmp_path / "archive" / "models"
    assert find("./models") == tmp_path / "archive" / "models"
    assert find("acme/minilm") == Path("acme/minilm")
    assert sources.in_archive("models") == Path("models")


def test_file_that_is_missing_is_a_file_not_found(archive: Callable[[str], Callable[[str], Any]]) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no model file models/net\.pt"):
        archive("models.load_custom_model(name)")("models/net.pt")


def test_folder_that_is_missing_is_not_looked_for_in_a_hub() -> None:
    with pytest.raises(models.ModelError, match=r"there is no folder \./net"):
        models.load_hf_model("./net")


def test_other_file_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "net.pkl").touch()

    with pytest.raises(ValueError, match=r"net\.pkl is no model file: expected \.safetensors, "):
        models.load_custom_model(tmp_path / "net.pkl")


def test_missing_library_names_the_package_to_ask_for() -> None:
    with pytest.raises(ImportError, match=r"add 'nowhere' to `dependencies` in manifest\.py"):
        weights.library("nowhere.at_all")


def test_wrapped_tensors_are_had_by_name(tmp_path: Path) -> None:
    pytest.importorskip("safetensors.numpy").save_file({"w": np.ones(2)}, tmp_path / "net.safetensors")

    model = models.load_custom_model(tmp_path / "net.safetensors")

    assert (list(model.keys()), list(model.get_tensor("w"))) == (["w"], [1.0, 1.0])
    with pytest.raises(KeyError, match="has no 'v'; it has w"):
        model.get_tensor("v")


def test_process_without_ray_loads_once(tmp_path: Path) -> None:
    model = CountedModel("once", tmp_path / "log")

    with ThreadPoolExecutor(4) as pool:
        loaded = list(pool.map(keeper.load, [model] * 4))

    assert len(model.loads()) == 1
    assert keeper.is_loaded("once")
    loaded[0].clear()
    assert [list(one) for one in loaded[1:]] == [["weights"]] * 3


def test_load_that_failed_is_tried_again(tmp_path: Path) -> None:
    model = CountedModel("again", tmp_path / "log", "raises", pause=0)

    with pytest.raises(models.ModelError, match="again was not loaded: OSError: no weights"):
        keeper.load(model)

    assert list(keeper.load(model)) == ["weights"]


def test_reference_needs_ray() -> None:
    with pytest.raises(models.ModelError, match="Ray does not run here: call load_hf_model"):
        models.load_hf_model_async("acme/minilm")


class Lazy(models.LazyModelMixin):
    """Makes its own architecture, which counts how often it is made."""

    model_id = "net_1.0.0"
    model_source = "namespace"
    made = 0

    def __init__(self) -> None:
        # As authors do: without a call of the base's constructor.
        self.started = threading.Barrier(4)

    def _instantiate_model(self, cached: Any) -> tuple[Any, Any]:
        self.made += 1
        return cached, None

    def __call__(self, _: int) -> tuple[Any, Any]:
        self.started.wait(5)
        return self.get_model()


def test_lazy_model_is_made_once_at_the_first_use(platform: Path) -> None:
    lazy = Lazy()
    assert lazy.made == 0

    with ThreadPoolExecutor(4) as pool:
        pairs = list(pool.map(lazy, range(4)))

    assert pairs == [(b"onnx", None)] * 4
    assert (lazy.made, lazy.model, lazy.tokenizer) == (1, b"onnx", None)


LAZY_REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "no name": ({"model_id": ""}, "Unnamed names no model: set model_id in the class"),
    "a source that there is not": ({"model_source": "s3"}, "'s3': there are 'huggingface' and 'namespace'"),
    "weights alone": ({}, "weights without an architecture: .* override _instantiate_model"),
}


@pytest.mark.parametrize(("attributes", "want"), LAZY_REFUSED.values(), ids=LAZY_REFUSED)
def test_lazy_model_says_what_it_lacks(
    platform: Path, monkeypatch: pytest.MonkeyPatch, attributes: dict[str, str], want: str
) -> None:
    monkeypatch.setattr(models.LazyModelMixin, "_detect_device", lambda self: "cpu")
    named = {"model_id": "net_1.0.0", "model_source": "namespace"} | attributes

    with pytest.raises(models.ModelError, match=want):
        type("Unnamed", (models.LazyModelMixin,), named)().ensure_model_loaded()
