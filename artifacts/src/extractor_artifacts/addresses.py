"""Where tenants' URLs may lead: to hosts that are allowed, at addresses that are public or allowed.

Names are asked about before they are looked up, addresses when they are connected to: what a name server
answered before, or a redirect says, makes no difference.
"""

import fnmatch
import ipaddress
from dataclasses import dataclass

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            # On every machine of Azure's it is the host's own agent.
            "168.63.129.16/32",
            # What Pythons before 3.11.10 and 3.12.4 take for global: assignments of the IETF (metadata of
            # Oracle's among them), local NAT64, tunnels into IPv4.
            "192.0.0.0/24",
            "64:ff9b:1::/48",
            "2001::/23",
            "2002::/16",
            "3fff::/20",
        ),
    )
)


@dataclass(frozen=True)
class AddressPolicy:
    """What may be reached; without arguments, everything public."""

    networks: tuple[_Network, ...] = ()
    """Reached although they are not public."""
    hosts: tuple[str, ...] = ()
    """The only ones, by name or pattern such as ``*.example.com``; all, where none is named."""

    def may_connect(self, address: str) -> bool:
        """Tell whether an IP address may be connected to."""
        ip = _innermost(ipaddress.ip_address(address))
        return _is_public(ip) or any(ip in network for network in self.networks)

    def may_ask(self, host: str) -> bool:
        """Tell whether a host, as a URL names it, may be asked."""
        name = host.lower().rstrip(".")
        return not self.hosts or any(fnmatch.fnmatchcase(name, pattern.lower()) for pattern in self.hosts)


def _is_public(ip: _Address) -> bool:
    # Multicast and what is reserved count as global for Python.
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        return False
    return not any(ip in network for network in _NOT_PUBLIC)


def _innermost(ip: _Address) -> _Address:
    """Give the IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip
