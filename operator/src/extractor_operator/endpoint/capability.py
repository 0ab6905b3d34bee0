"""What a pod may ask of the artifact endpoint: one verb on one version, and nothing else.

A capability is a keyed hash of what it allows. So none is kept, each can be checked by any operator that has
the key, and without the key all of them end.
"""

import hmac
import os
import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from extractor_apis import naming
from extractor_apis.errors import ExtractorError

_KEY_BYTES = 32


class KeyDamaged(ExtractorError):
    """The operator's key is not one."""


class Verb(StrEnum):
    """What a pod is for."""

    READ = "read"
    """It runs the version: it fetches what was accepted, and the environment."""
    SCAN = "scan"
    """It scans the version: it fetches the source, and hands in what it thinks of it."""
    ENVIRONMENT = "environment"
    """It makes an environment, and hands it in."""


@dataclass(frozen=True)
class Capabilities:
    """Makes capabilities, and checks them."""

    key: bytes = field(repr=False)

    def token(self, namespace: str, uid: str, verb: Verb, errand: str = "") -> str:
        """Allow a verb on a version; with ``errand`` only for as long as that is open."""
        said = naming.stable_hash(namespace, uid, verb, errand)
        mac = hmac.digest(self.key, said.encode(), "sha256").hex()
        return f"{errand}.{mac}"

    def errand(self, token: str, namespace: str, uid: str, verb: Verb) -> str | None:
        """Give the errand of a token that allows this, "" where it is for none; None if it does not."""
        errand = token.rpartition(".")[0]
        # What a client sends may be no text at all.
        if not token.isascii():
            return None
        wanted = self.token(namespace, uid, verb, errand)
        return errand if hmac.compare_digest(token, wanted) else None


def load(file: Path) -> Capabilities:
    """Read the operator's key, which is made when there is none. Whoever can read it has every capability."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "wb") as opened:
                opened.write(secrets.token_bytes(_KEY_BYTES))
                os.fsync(opened.fileno())
            # A link, unlike a rename, leaves the key of another process that was faster.
            os.link(new, file)
        except FileExistsError:
            pass
        finally:
            new.unlink(missing_ok=True)
    with file.open("rb") as opened:
        key = opened.read(_KEY_BYTES + 1)
    if len(key) != _KEY_BYTES:
        raise KeyDamaged(f"{file} is no key of {_KEY_BYTES} bytes: remove it, and restart the operator")
    return Capabilities(key)
