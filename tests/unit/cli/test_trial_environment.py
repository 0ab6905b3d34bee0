"""A trial is told where models, tools and secrets are, and nothing else of the user's environment."""

from pathlib import Path
from typing import Any

import pytest

from extractor_apis.services import SecretReference, Services
from extractor_cli import trial
from extractor_runtime.trial.config import TrialConfig
from support.runs import make_manifest


def make_config(folder: Path, **given: Any) -> TrialConfig:
    return TrialConfig(
        tree=folder / "tree",
        artifact_digest="sha256:0",
        top_folder=None,
        manifest=make_manifest(),
        scan=(),
        files=(),
        folder=folder,
        parameters={},
        seconds=1,
        cpus=None,
        min_cosine=0.9,
        **{"services": Services(), **given},
    )


@pytest.mark.parametrize(
    ("variables", "network", "want"),
    [
        pytest.param({"GITHUB_TOKEN": "x", "HF_TOKEN": "x"}, True, {}, id="a token that nobody gave"),
        pytest.param({"API_KEY": "k"}, False, {"API_KEY": "k"}, id="a secret that was given"),
        pytest.param({"HTTPS_PROXY": "http://p"}, False, {}, id="a proxy without a network"),
        pytest.param(
            {"HTTPS_PROXY": "http://p"}, True, {"HTTPS_PROXY": "http://p"}, id="a proxy with a network"
        ),
        pytest.param({"HTTPS_PROXY": "http://u:p@h"}, True, {}, id="a proxy with a password"),
    ],
)
def test_variables_that_are_passed_on(
    variables: dict[str, str],
    network: bool,
    want: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in (*trial.PATHS, *trial.PROXIES):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    secrets = Services(secrets={"KEY": SecretReference(env="API_KEY")})

    made = trial.environment(make_config(tmp_path, services=secrets), tmp_path / "none", network=network)

    assert {name: value for name, value in made.items() if not name.startswith("HF_")} == want
    assert made.get("HF_HUB_OFFLINE") == (None if network else "1")


def test_models_of_the_user_are_found_in_a_cache_of_the_trial(tmp_path: Path) -> None:
    user, folder = tmp_path / "user" / "hub", tmp_path / "trial"
    (user / "models--org--name" / "refs").mkdir(parents=True)
    (user.parent / "token").write_text("hf_secret")

    made = trial.environment(make_config(folder), user, network=False)

    assert [path.name for path in Path(made["HF_HUB_CACHE"]).iterdir()] == ["models--org--name"]
    assert (Path(made["HF_HUB_CACHE"]) / "models--org--name" / "refs").is_dir()
    assert not (Path(made["HF_HOME"]) / "token").exists()
