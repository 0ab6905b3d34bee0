"""What a namespace's Secrets say, and nothing else: no environment, no helper programs, no machine identity.

A pull secret is a Docker config. Its entries name registries as the kubelet reads them: a host, with globs
for its labels, and perhaps the beginning of a path; the longest that fits counts.
"""

import base64
import binascii
import fnmatch
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pydantic
from pydantic import BaseModel, Field

from extractor_artifacts.errors import AuthenticationFailed

_MAX_SECRET_BYTES = 1024 * 1024
"""What a Secret holds at most."""
_DOCKER_HUB = ("docker.io", "registry-1.docker.io", "index.docker.io")


@dataclass(frozen=True)
class Credentials:
    """The Secrets that a source names. Never shown, not even by ``repr``."""

    secret: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """The fields of a zip source's Secret, decoded: ``username`` and ``password``, ``token``, or those of an
    object store."""
    pull_secrets: tuple[bytes, ...] = field(default=(), repr=False)
    """The ``.dockerconfigjson`` of each pull secret."""

    def value(self, *names: str) -> str | None:
        """Give the first field of the Secret that is there, whatever its case; None if none is."""
        fields = {name.lower(): content for name, content in self.secret.items()}
        found = next((fields[name] for name in names if fields.get(name)), None)
        # Files, from which many Secrets are made, end with a line break.
        return None if found is None else _text(found, "the Secret of the source").strip()

    def authorization(self) -> str | None:
        """Give the Authorization header for an https source; None without credentials."""
        if token := self.value("token"):
            return bearer(token)
        username, password = self.value("username"), self.value("password")
        if username is None and password is None:
            return None
        return basic(username or "", password or "")

    def registry_login(self, host: str, repository: str) -> str | None:
        """Give the Authorization header for a repository of a registry; None without a login for it."""
        entries = (entry for secret in self.pull_secrets for entry in _entries(secret))
        fitting = [entry for entry in entries if _fits(entry[0], host, repository)]
        if not fitting:
            return None
        return max(fitting, key=lambda entry: len(entry[0]))[1].authorization()


def basic(username: str, password: str) -> str:
    """Write an Authorization header for a user."""
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


def bearer(token: str) -> str:
    """Write an Authorization header for a token; raise AuthenticationFailed if no header can hold it."""
    if not (token.isascii() and token.isprintable()):
        # The HTTP library's own error would repeat it.
        raise AuthenticationFailed("the token in the Secret has characters that no token has: make it again")
    return f"Bearer {token}"


class _Login(BaseModel):
    auth: str = ""
    username: str = ""
    password: str = ""
    registrytoken: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether the login itself is in some helper program of the machine that wrote the config."""
        return not (self.auth or self.username or self.password or self.registrytoken)

    def authorization(self) -> str:
        if self.registrytoken:
            return bearer(self.registrytoken)
        if not self.auth:
            return basic(self.username, self.password)
        try:
            username, _, password = base64.b64decode(self.auth).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise AuthenticationFailed(
                "a pull secret's `auth` is not base64 of `user:password`: make the Secret again"
            ) from None
        return basic(username, password)


class _DockerConfig(BaseModel):
    auths: dict[str, _Login] = Field(max_length=1000)


def _entries(secret: bytes) -> Iterator[tuple[str, _Login]]:
    try:
        config = _DockerConfig.model_validate_json(_text(secret, "a pull secret"))
    except pydantic.ValidationError:
        # The library's message repeats what it read.
        raise AuthenticationFailed(
            "a pull secret is no Docker config: make it with `kubectl create secret docker-registry`"
        ) from None
    for name, login in config.auths.items():
        if login.is_empty:
            continue
        place = name.partition("://")[2] or name
        yield place.rstrip("/").removesuffix("/v1").removesuffix("/v2").lower(), login


def _fits(entry: str, host: str, repository: str) -> bool:
    pattern, _, path = entry.partition("/")
    if path and not f"{repository}/".startswith(f"{path}/"):
        return False
    if host in _DOCKER_HUB:
        return pattern in _DOCKER_HUB
    labels, patterns = host.lower().split("."), pattern.split(".")
    # Label by label: `*.example.com` is not `a.b.example.com`.
    return len(labels) == len(patterns) and all(map(fnmatch.fnmatchcase, labels, patterns))


def _text(content: bytes, what: str) -> str:
    if len(content) <= _MAX_SECRET_BYTES:
        try:
            return content.decode()
        except UnicodeDecodeError:
            pass
    raise AuthenticationFailed(f"{what} is no text that can be read: make it again") from None
