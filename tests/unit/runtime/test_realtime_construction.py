"""What a realtime class is given when it is made, and what is said when it cannot be."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from extractor_apis.manifest import Manifest
from extractor_apis.services import SecretReference, Services
from extractor_runtime import errors, loader
from extractor_runtime.realtime import realtime_class, realtime_service
from support import realtime_services
from support.realtime_services import MANIFEST, Load, ask


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    with realtime_services.loading(tmp_path) as load:
        yield load


GIVEN = {
    "a container": ("self, container", ["container"]),
    "a container or none": ("self, container=None", ["container"]),
    "a config": ("self, config", ["config"]),
    "both, by name": ("self, *, config, container", ["config", "container"]),
    "everything": ("self, **kwargs", ["config", "container"]),
    "the rest, beside settings of one's own": ("self, config=None, **kwargs", ["container"]),
    "nothing for settings of one's own": ("self, config=None, embedding_dim=128", []),
    "nothing": ("self", []),
}


@pytest.mark.parametrize(("signature", "want"), GIVEN.values(), ids=GIVEN)
def test_constructor_is_given(load: Load, signature: str, want: list[str]) -> None:
    service = load(
        f"""
        class RealtimeHandler:
            def __init__({signature}):
                given = locals()
                given = {{**given, **given.pop("kwargs", {{}})}}
                self.given = sorted(name for name in ("config", "container") if given.get(name) is not None)
            def predict(self, request):
                return {{"given": self.given}}
        """
    )

    assert ask(service) == {"given": want}


def test_config_and_parameters_have_the_manifests_defaults(load: Load) -> None:
    service = load(
        """
        class RealtimeHandler:
            def __init__(self, config):
                self.config = config
            def run_inference(self, inputs, parameters):
                return {"config": self.config, "parameters": parameters}
        """,
        parameter_schema={"properties": {"mode": {"default": "slow"}, "size": {"default": 3}}},
    )

    assert ask(service) == {
        "config": {"mode": "slow", "size": 3},
        "parameters": {"mode": "fast", "size": 3},
    }


def test_secrets_reach_the_class(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINY_KEY", "hush-hush")
    services = Services(secrets={"KEY": SecretReference(env="TINY_KEY")})
    service = load(
        """
        class RealtimeHandler:
            def __init__(self, container):
                self.secrets = container.secrets
            async def run_inference(self, inputs, parameters):
                return {"length": len(await self.secrets.get("KEY")), "names": await self.secrets.list()}
        """,
        services=services,
    )

    assert ask(service) == {"length": 9, "names": ["KEY"]}


REFUSED = {
    "no class": (
        "x = 1\n",
        "realtime.py:1: no class that answers was found: expected get_inference_service()",
    ),
    "no method": (
        "class TextInferenceService:\n    pass\n",
        "realtime.py:1: TextInferenceService has no method",
    ),
    "does not import": (
        "import sys\nimport nowhere_at_all\n",
        "realtime.py:2: realtime.py does not import: ModuleNotFound",
    ),
    "a constructor that raises": (
        "class RealtimeHandler:\n    def __init__(self):\n        raise OSError('no weights')\n",
        "realtime.py:3: RealtimeHandler() raised OSError: no weights",
    ),
    "a constructor that needs more": (
        "class RealtimeHandler:\n    def __init__(self, weights):\n        pass\n",
        "realtime.py:1: RealtimeHandler() raised TypeError: RealtimeHandler.__init__() missing 1 required",
    ),
    "a factory that returns nothing": (
        "def get_inference_service():\n    pass\n",
        "realtime.py:1: get_inference_service() returned None",
    ),
    "a constructor that exits": (
        "import sys\nclass RealtimeHandler:\n    def __init__(self):\n        sys.exit(3)\n",
        "realtime.py:4: RealtimeHandler() raised RuntimeError: SystemExit: 3",
    ),
}


@pytest.mark.parametrize(("source", "want"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_answer_is_refused_with_its_line(load: Load, source: str, want: str) -> None:
    with pytest.raises(errors.AuthorError) as caught:
        load(source)

    assert str(caught.value).startswith(want)


def test_missing_module_says_what_to_add(tmp_path: Path) -> None:
    tree = loader.Tree(tmp_path, "sha256:" + "0" * 64)

    with pytest.raises(errors.AuthorError, match=r"no realtime\.py: add one with get_inference_service"):
        realtime_service.RealtimeService.load(tree, Manifest.from_names(MANIFEST))


PROMISES = {
    "a feature's address": (
        'metadata = {\n    "feature_uri": "mixpeek://tiny@1.0.0/vector",\n}\n',
        "feature_uri",
        2,
    ),
    "replicas": ("name = 'tiny'\n\nserve_config = {'num_replicas': 2}\n", "serve_config", 3),
}


@pytest.mark.parametrize(("source", "name", "line"), PROMISES.values(), ids=PROMISES)
def test_missing_module_names_the_line_that_promises_it(
    tmp_path: Path, source: str, name: str, line: int
) -> None:
    (tmp_path / "manifest.py").write_text(source)
    promise = {"feature_uri": "mixpeek://tiny@1.0.0/vector", "serve_config": {"num_replicas": 2}}[name]
    manifest = Manifest.from_names(MANIFEST | {name: promise})

    with pytest.raises(errors.AuthorError) as caught:
        realtime_service.RealtimeService.load(loader.Tree(tmp_path, "sha256:" + "0" * 64), manifest)

    assert str(caught.value).startswith(
        f"manifest.py:{line}: the manifest sets {name}, but the archive has no realtime.py: add one with"
    )


REPLICAS = {
    "a number": ("serve_config = ServeDeploymentConfig(enabled=True, num_replicas=3)", 3),
    "an annotated number": ("serve_config: object = serve.ServeDeploymentConfig(num_replicas=3)", 3),
    "the default": ("serve_config = ServeDeploymentConfig()", None),
    "a computed number": ("serve_config = ServeDeploymentConfig(num_replicas=2 * N)", None),
    "a wrong number": ("serve_config = ServeDeploymentConfig(num_replicas=-1)", None),
    "nothing": ("pass", None),
    "a broken file": ("def", None),
}


@pytest.mark.parametrize(("line", "want"), REPLICAS.values(), ids=REPLICAS)
def test_replicas_are_read_without_importing(tmp_path: Path, line: str, want: int | None) -> None:
    (tmp_path / "realtime.py").write_text(f"raise AssertionError\nclass Anything:\n    {line}\n")

    assert realtime_class.declared_replicas(loader.Tree(tmp_path, "sha256:" + "0" * 64)) == want


def test_constructor_that_hangs_is_given_up_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "realtime.py").write_text(
        "import time\nclass RealtimeHandler:\n    def __init__(self):\n        time.sleep(0.2)\n"
    )
    tree = loader.Tree(tmp_path, f"sha256:{hashlib.sha256(str(tmp_path).encode()).hexdigest()}")

    with pytest.raises(errors.AuthorError, match=r"realtime\.py:4: .*did not return within 0\.05 s"):
        realtime_service.RealtimeService.load(tree, Manifest.from_names(MANIFEST), seconds=0.05)
