"""A node loads a model once, whoever asks, and tells everyone the same when it cannot be loaded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extractor_runtime import session
from support.counted_models import NUMBERS, CountedModel

pytestmark = pytest.mark.integration

ACTORS = 4


class Actor:
    """Asks for models as an author's processor does."""

    def load(self, source: Any, seconds: float) -> str:
        from extractor_runtime.sdk.models import ModelError, keeper

        try:
            weights = keeper.load(source, seconds=seconds)["weights"]
        except ModelError as error:
            return str(error)
        return f"{weights.sum():.0f} {'own' if weights.flags.writeable else 'shared'}"

    def load_stored(self, name: str) -> float:
        from extractor_runtime.sdk import models

        return float(models.load_namespace_model(name)["layer.weight"].sum())

    def reference(self, source: Any) -> str:
        import ray

        from extractor_runtime.sdk.models import keeper

        return f"{ray.get(keeper.request(source))['weights'].sum():.0f}"

    def is_loaded(self, name: str) -> bool:
        from extractor_runtime.sdk import models

        return models.is_hf_model_cached(name)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of models that the platform keeps."""
    numpy = pytest.importorskip("safetensors.numpy")
    folder = tmp_path_factory.mktemp("models")
    numpy.save_file({"layer.weight": np.ones((100, 100), np.float32)}, folder / "net_1.0.0.safetensors")
    return folder


@pytest.fixture(scope="module")
def actors(stored: Path) -> Iterator[list[Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXTRACTOR_MODELS", str(stored))
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
        with session.local():
            import ray

            yield [ray.remote(Actor).options(num_cpus=0).remote() for _ in range(ACTORS)]


def ask(actors: list[Any], source: CountedModel, seconds: float = 60.0) -> list[str]:
    import ray

    return ray.get([actor.load.remote(source, seconds) for actor in actors], timeout=120)


def test_all_actors_read_what_one_process_loaded(actors: list[Any], tmp_path: Path) -> None:
    import ray

    model = CountedModel("shared", tmp_path / "log")
    assert not ray.get(actors[0].is_loaded.remote("shared"), timeout=120)

    assert ask(actors, model) == [f"{NUMBERS} shared"] * ACTORS
    assert ask(actors, model) == [f"{NUMBERS} shared"] * ACTORS

    assert len(model.loads()) == 1
    assert ray.get(actors[0].is_loaded.remote("shared"), timeout=60)


@pytest.mark.parametrize(
    ("first", "want"),
    [
        ("raises", "raises was not loaded: OSError: no weights"),
        ("dies", "dies was not loaded: the process that loads it died (WorkerCrashedError), most likely"),
    ],
    ids=["load that raises", "process that dies"],
)
def test_failure_is_told_to_all_who_wait_and_the_next_load_succeeds(
    actors: list[Any], tmp_path: Path, first: str, want: str
) -> None:
    model = CountedModel(first, tmp_path / "log", first)

    told = ask(actors, model)
    assert [message[: len(want)] for message in told] == [want] * ACTORS
    assert len(model.loads()) == 1

    assert ask(actors, model) == [f"{NUMBERS} shared"] * ACTORS
    assert len(model.loads()) == 2


def test_load_that_hangs_is_given_up_and_started_again(actors: list[Any], tmp_path: Path) -> None:
    model = CountedModel("hangs", tmp_path / "log", "hangs")

    assert ask(actors[:1], model, seconds=1.5) == ["hangs was not loaded within 1.5 s and was given up"]
    assert ask(actors[:1], model) == [f"{NUMBERS} shared"]


def test_reference_is_that_of_the_model(actors: list[Any], tmp_path: Path) -> None:
    import ray

    model = CountedModel("referenced", tmp_path / "log")

    assert ray.get(actors[0].reference.remote(model), timeout=60) == str(NUMBERS)


def test_model_of_the_platform_is_shared_too(actors: list[Any]) -> None:
    import ray

    loaded = ray.get([actor.load_stored.remote("net_1.0.0") for actor in actors], timeout=120)

    assert loaded == [10_000.0] * ACTORS
