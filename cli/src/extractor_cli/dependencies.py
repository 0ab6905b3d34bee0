"""What an extractor depends on, on this machine: allowed by settings, installed once, and kept."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractor_apis.manifest import Manifest
from extractor_cli import terminal

if TYPE_CHECKING:
    from extractor_apis.settings import Settings

SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", help="The operator's settings; without it, all is strict."),
]
Namespace = Annotated[
    str | None, typer.Option("--namespace", "-n", help="Namespace to judge for; needs --settings.")
]


def read(settings: Path | None, namespace: str | None) -> "Settings":
    """Read settings; without a file, they are the strictest."""
    from extractor_apis import settings as all_settings

    if settings is None:
        if namespace is not None:
            raise typer.BadParameter("only --settings know namespaces", param_hint="--namespace")
        return all_settings.Settings()
    return all_settings.read(settings)


def prepare(manifest: Manifest, settings: "Settings", namespace: str | None) -> Path | None:
    """Have an environment of what the manifest depends on and the settings allow; None if that is nothing.

    Raises DependencyConflict and EnvironmentFailed.
    """
    names = settings.policy(namespace).scan.allowed_dependencies
    return _prepare(manifest, names, settings) if manifest.dependencies and names else None


def _prepare(manifest: Manifest, names: Collection[str], settings: "Settings") -> Path | None:
    from extractor_artifacts import environments

    cache = environments.Cache(_folder(), settings.packages)
    constraints = environments.installed()
    locked = environments.resolve(
        environments.allowed(manifest.dependencies, names),
        image_digest=environments.image_digest(constraints),
        python=environments.Python.running(),
        constraints=constraints,
        cache=cache,
    )
    if not locked.pins:
        return None
    if not cache.environment(locked.key).is_dir():
        terminal.say(f"extractor: installing {len(locked.pins)} distributions that {manifest.uri} depends on")
    return environments.build(locked, cache).path


def _folder() -> Path:
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches, "extractor", "environments").absolute()
