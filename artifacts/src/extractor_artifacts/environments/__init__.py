"""Dependencies of extractors: resolved by uv, installed once, never built.

`resolve` says which distributions a version needs beside what its image has; `build` has them in a folder
that is published whole, read-only, and shared by whoever needs the same. No code of theirs runs here:
docs/design says what else keeps tenants apart.
"""

from extractor_artifacts.environments.build import Environment, build
from extractor_artifacts.environments.cache import Cache, Limits
from extractor_artifacts.environments.errors import DependencyConflict, EnvironmentFailed
from extractor_artifacts.environments.expiry import expire
from extractor_artifacts.environments.lockfile import Locked
from extractor_artifacts.environments.python import Installed, Python, image_digest, installed
from extractor_artifacts.environments.requirement import allowed
from extractor_artifacts.environments.resolve import resolve

__all__ = [
    "Cache",
    "DependencyConflict",
    "Environment",
    "EnvironmentFailed",
    "Installed",
    "Limits",
    "Locked",
    "Python",
    "allowed",
    "build",
    "expire",
    "image_digest",
    "installed",
    "resolve",
]
