"""Try an extractor in a process of its own, which has what that takes and nothing else of the user's."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from extractor_apis.errors import ExtractorError
from extractor_apis.run import RunState
from extractor_sandbox import jail, launcher, orphans

if TYPE_CHECKING:
    from extractor_runtime.trial.config import TrialConfig
    from extractor_runtime.trial.verdict import TrialReport

_BATCHES = 20
"""How often the extractor may take its time, at most, before a trial is given up."""
_LEAVING_SECONDS = 30.0
_ENDING_SECONDS = 1.0
PATHS = (
    *("EXTRACTOR_MODELS", "EXTRACTOR_TOOLS"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
_SETTINGS = (*PATHS, "EXTRACTOR_ASSET_ALLOW", "EXTRACTOR_ASSET_MAX_BYTES", "HF_ENDPOINT")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


class TrialError(ExtractorError):
    """A trial that could not be started or finished."""


def hold(config: "TrialConfig", *, network: bool, on_state: Callable[[RunState], None]) -> "TrialReport":
    """Hold a trial in a jail, and say what it found.

    Raises ExtractorError when a file cannot be read or the jail not be had, and when the trial dies.
    """
    from extractor_runtime.trial import samples
    from extractor_runtime.trial.verdict import TrialReport

    models = _hub_cache()
    readable = [
        *jail.interpreter(),
        str(config.tree),
        *([str(config.environment.resolve())] if config.environment else []),
        *(str(file.resolve()) for file in samples.named_files(config.files)),
        *(os.environ[name] for name in PATHS if name in os.environ),
        *(reference.file for reference in config.services.secrets.values() if reference.file),
        *([str(models)] if models.is_dir() else []),
    ]
    held = jail.Jail(tuple(readable), str(config.folder), network, hidden=(str(Path.home()),))
    file = config.folder / "config.json"
    absolute = {"files": tuple(file.absolute() for file in config.files)}
    file.write_text(config.model_copy(update=absolute).model_dump_json())
    command = [sys.executable, "-P", "-m", "extractor_runtime.trial", "--config", str(file)]
    deadline = time.monotonic() + _BATCHES * max(config.seconds, 60.0)
    reading, writing = os.pipe()
    with (
        orphans.ended(),
        open(os.devnull) as nothing,
        open(reading, "rb") as said,
        open(writing, "wb") as answers,
        launcher.start(
            held.command(command),
            stdin=nothing.fileno(),
            stdout=answers.fileno(),
            stderr=None,
            environment=held.environment(environment(config, models, network=network)),
            folder=str(config.folder),
        ) as child,
    ):
        answers.close()
        try:
            for line in map(json.loads, launcher.lines(said.fileno(), deadline)):
                if "state" in line:
                    on_state(RunState.model_validate(line["state"]))
                elif "error" in line:
                    raise TrialError(line["error"])
                else:
                    report = TrialReport.model_validate(line["report"])
                    # Ray ends in its own time.
                    child.wait(time.monotonic() + _LEAVING_SECONDS)
                    return report
            ended = child.wait(time.monotonic() + _ENDING_SECONDS)
            end = child.describe_end() or "it said nothing" if ended else "it took too long"
        except (ValueError, KeyError, TypeError, RecursionError):
            # The author's code runs there, too.
            end = "it said what cannot be understood"
    raise TrialError(f"the trial of {config.manifest.uri} came to no report: {end}")


def environment(config: "TrialConfig", models: Path, *, network: bool) -> dict[str, str]:
    """Make what a trial has of the user's environment, and a cache of models in its folder."""
    names = [*_SETTINGS, *(each.env for each in config.services.secrets.values() if each.env)]
    # One that holds a password stays with the user.
    names += [name for name in PROXIES if network and "@" not in os.environ.get(name, "")]
    given = {name: os.environ[name] for name in names if name in os.environ}
    own = config.folder / "huggingface"
    _link_models(models, own / "hub")
    offline = {} if network else {"HF_HUB_OFFLINE": "1"}
    return given | offline | {"HF_HOME": str(own), "HF_HUB_CACHE": str(own / "hub")}


def _hub_cache() -> Path:
    """Name the folder of the models that the user has from a hub, beside which the user's token may lie."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    home = Path(os.environ.get("HF_HOME") or Path(caches, "huggingface"))
    return Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser().resolve()


def _link_models(models: Path, into: Path) -> None:
    """Let the hub's client find the user's models in a cache that it may write to."""
    into.mkdir(parents=True)
    for model in models.glob("models--*"):
        (into / model.name).symlink_to(model)
