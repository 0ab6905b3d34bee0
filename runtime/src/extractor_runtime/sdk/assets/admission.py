"""What may be opened in this process.

In a batch run everything: its source is the tenant's own. A realtime replica is restricted, since there an
address comes from whoever asks: this machine's files, the tenant's buckets and the cluster's inner network
are not for strangers.
"""

import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass

from extractor_artifacts import urls
from extractor_artifacts.addresses import AddressPolicy
from extractor_runtime.sdk.assets.errors import AssetError

ALLOW = "EXTRACTOR_ASSET_ALLOW"
"""Environment variable: what the operator allows beyond, with commas: ``10.1.0.0/16,s3://queries,/data/shared``."""


@dataclass(frozen=True)
class Admission:
    """The exceptions in a restricted process."""

    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    """Addresses that need not be public."""
    prefixes: tuple[str, ...]
    """Folders of this machine, and buckets or what is below a key."""

    @classmethod
    def parse(cls, allowed: Iterable[str]) -> "Admission":
        """Tell networks from prefixes. Raises AssetError for what is neither."""
        networks, prefixes = [], []
        for entry in filter(None, map(str.strip, allowed)):
            if entry.startswith("/"):
                prefixes.append(os.path.realpath(entry))
            elif entry.startswith(("s3://", "gs://", "az://")):
                prefixes.append(entry.rstrip("/"))
            else:
                try:
                    networks.append(ipaddress.ip_network(entry))
                except ValueError as err:
                    raise AssetError(
                        f"{ALLOW}: {entry!r} is no network (10.1.0.0/16), bucket (s3://…) or absolute folder"
                    ) from err
        return cls(tuple(networks), tuple(prefixes))

    def check_prefix(self, address: str) -> None:
        """Raise AssetError for a real path or an object's URL that is below no prefix."""
        if not any(address == prefix or address.startswith(f"{prefix}/") for prefix in self.prefixes):
            kind = "files of this machine" if address.startswith("/") else "buckets"
            raise AssetError(
                f"refused to open {urls.redact(address)[:200]}: at query time {kind} are closed; "
                f"send a data: or public https:// URL, or have the operator allow it with {ALLOW}"
            )

    def may_connect(self, address: str) -> bool:
        """Tell whether an IP address is public, or allowed."""
        return AddressPolicy(self.networks).may_connect(address)


_current: Admission | None = None


def current() -> Admission | None:
    """Give the exceptions if this process is restricted."""
    return _current


def restrict(allowed: Iterable[str] | None = None) -> None:
    """Open from now on only data: URLs, what has a public address, and what is allowed.

    For a process whose inputs come from strangers. Unless it is given, ``EXTRACTOR_ASSET_ALLOW`` says what is
    allowed. Raises AssetError for an entry that means nothing.
    """
    global _current
    _current = Admission.parse(os.environ.get(ALLOW, "").split(",") if allowed is None else allowed)
