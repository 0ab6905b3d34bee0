"""Where an endpoint listens, and where this machine reaches it."""

import contextlib
import ipaddress
import socket

from extractor_apis.errors import ExtractorError


class AddressError(ExtractorError):
    """The endpoint cannot listen where it should."""


def claim(host: str, port: int) -> int:
    """Make sure that an address can be bound, before seconds are spent on Ray; choose the port if it is 0."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As HAProxy does: a connection that is only closing is no server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise AddressError(
                f"cannot listen on {literal(host)}:{port}: {reason}; stop what uses it or choose another port"
            ) from None
        chosen: int = probe.getsockname()[1]
    return chosen


def reachable(host: str) -> str:
    """Say where this machine reaches what listens on ``host``."""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_unspecified:
            return "::1" if ":" in host else "127.0.0.1"
    return host


def literal(host: str) -> str:
    """Write a host as a URL has it."""
    return f"[{host}]" if ":" in host else host
