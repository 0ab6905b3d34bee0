"""URLs as they may be shown, and hosts that are this machine."""

import ipaddress


def redact(url: str) -> str:
    """Take credentials, query and fragment out of a URL; leave a path as it is.

    Signed URLs carry their secret in the query: everything that reaches an error or a log goes through here.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    shown = rest.partition("?")[0].partition("#")[0]
    authority, slash, path = shown.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def is_loopback(host: str) -> bool:
    """Tell whether a host name means this machine, without asking a name server."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
