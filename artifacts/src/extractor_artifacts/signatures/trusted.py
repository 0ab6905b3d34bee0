"""On whose word an artifact is accepted: what `Verify` and a Secret come to."""

import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass

from extractor_apis.verify import Identity, Verify
from extractor_artifacts.errors import ArtifactError

MAX_KEYS = 32


@dataclass(frozen=True)
class Keyless:
    """One of these identities must have signed, as a Sigstore instance saw it."""

    identities: tuple[Identity, ...]
    trusted_root: bytes
    """The instance's ``trusted_root.json``."""


@dataclass(frozen=True)
class Keyed:
    """One of these keys must have signed."""

    keys: tuple[bytes, ...]
    """Public keys in PEM form."""


def trust(wanted: Verify, *, trusted_root: bytes, secret: Mapping[str, bytes]) -> Keyless | Keyed:
    """Say whom to trust; ``secret`` is the content of the Secret that is named, if one is.

    Raises ArtifactError if the Secret holds no public key.
    """
    if wanted.secret_ref is None:
        return Keyless(wanted.identities, trusted_root)
    keys = tuple(content for name, content in sorted(secret.items()) if name.endswith(".pub"))
    if not 0 < len(keys) <= MAX_KEYS:
        raise ArtifactError(
            f"the secret {wanted.secret_ref.name} has {len(keys)} public keys: "
            f"put 1 to {MAX_KEYS} into it, as entries named *.pub"
        )
    return Keyed(keys)


def public_instance() -> bytes:
    """Give the trusted root of Sigstore's public instance, as the installed release of sigstore has it."""
    folder = importlib.resources.files("sigstore._store") / "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev"
    return (folder / "trusted_root.json").read_bytes()
