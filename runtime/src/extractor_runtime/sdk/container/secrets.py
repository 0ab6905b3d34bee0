"""Secrets by name: references travel, values are read in the process that needs them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from extractor_apis.services import SecretReference
from extractor_runtime import redaction
from extractor_runtime.sdk.container.errors import MissingSecretError

MAX_BYTES = 64 * 1024


@dataclass(frozen=True)
class Secrets:
    """What ``container.secrets`` is."""

    references: Mapping[str, SecretReference] = field(default_factory=dict)

    async def get(self, name: str) -> str:
        """Return a secret's value, as it is now.

        Raises MissingSecretError, which is a KeyError, for one that the run was not given.
        """
        return self.read(name)

    async def list(self) -> list[str]:
        """Return the names of the secrets that there are."""
        return sorted(self.references)

    def read(self, name: str) -> str:
        """Return a secret's value, and keep it out of the errors and logs of this process."""
        reference = self.references.get(name)
        if reference is None:
            given = ", ".join(sorted(self.references)) or "none"
            raise MissingSecretError(
                f"there is no secret {name!r} (given: {given}): give it with --secret {name}"
            )
        value = _read(name, reference)
        redaction.remember(name, value)
        return value

    def remember(self) -> None:
        """Keep the values of all secrets that can be read out of the errors and logs of this process."""
        for name in self.references:
            try:
                self.read(name)
            except MissingSecretError:
                # Said when it is asked for.
                continue


def _read(name: str, reference: SecretReference) -> str:
    if reference.env is not None:
        value = os.environ.get(reference.env, "")
        if not value:
            raise MissingSecretError(f"secret {name}: the environment variable {reference.env} is not set")
        return value
    path = Path(reference.file or "")
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        value = raw.decode().removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise MissingSecretError(f"secret {name}: cannot read {path}: {reason}") from None
    if not value or len(raw) > MAX_BYTES:
        what = f"is larger than {MAX_BYTES} bytes" if value else "is empty"
        raise MissingSecretError(f"secret {name}: {path} {what}")
    return value
