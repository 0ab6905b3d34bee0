import ipaddress

import pytest

from extractor_artifacts.sources import AddressPolicy

PUBLIC = AddressPolicy()


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("::1", id="loopback of IPv6"),
        pytest.param("0.0.0.0", id="this machine, by no address"),
        pytest.param("10.0.0.1", id="private"),
        pytest.param("172.16.0.1", id="private, the middle one"),
        pytest.param("192.168.1.1", id="private, at home"),
        pytest.param("fd00::1", id="private of IPv6"),
        pytest.param("169.254.169.254", id="metadata"),
        pytest.param("fd00:ec2::254", id="metadata of IPv6"),
        pytest.param("100.100.100.200", id="metadata among carriers' addresses"),
        pytest.param("168.63.129.16", id="the agent of Azure's host"),
        pytest.param("100.64.0.1", id="carriers' own"),
        pytest.param("192.0.0.192", id="protocol assignments"),
        pytest.param("198.18.0.1", id="benchmarks"),
        pytest.param("fe80::1%lo", id="link-local with a zone"),
        pytest.param("224.0.0.1", id="multicast"),
        pytest.param("ff0e::1", id="global multicast of IPv6"),
        pytest.param("255.255.255.255", id="broadcast"),
        pytest.param("240.0.0.1", id="reserved"),
        pytest.param("::ffff:127.0.0.1", id="IPv4 mapped into IPv6"),
        pytest.param("64:ff9b::a9fe:a9fe", id="metadata through NAT64"),
        pytest.param("64:ff9b:1::1", id="local NAT64"),
        pytest.param("2002:7f00:1::", id="loopback through 6to4"),
        pytest.param("2002:101:101::", id="anything through 6to4"),
        pytest.param("2001:0:1:1:0:0:80ff:fffe", id="loopback through Teredo"),
        pytest.param("2001:db8::1", id="documentation"),
    ],
)
def test_address_that_is_not_public_may_not_be_connected_to(address: str) -> None:
    assert not PUBLIC.may_connect(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_public_address_may_be_connected_to(address: str) -> None:
    assert PUBLIC.may_connect(address)


@pytest.mark.parametrize(
    ("address", "want"),
    [
        ("10.1.2.3", True),
        ("10.2.0.1", False),
        ("::ffff:10.1.2.3", True),
        ("fd12::1", True),
        ("fd13::1", False),
    ],
)
def test_allowed_networks_are_exceptions(address: str, want: bool) -> None:
    networks = tuple(map(ipaddress.ip_network, ("10.1.0.0/16", "fd12::/16")))

    assert AddressPolicy(networks).may_connect(address) is want


@pytest.mark.parametrize(
    ("host", "want"),
    [
        ("files.example.com", True),
        ("FILES.example.com.", True),
        ("example.com", False),
        ("files.example.com.evil.net", False),
        ("exact.net", True),
    ],
)
def test_allowed_hosts_are_the_only_ones(host: str, want: bool) -> None:
    assert AddressPolicy(hosts=("*.Example.com", "exact.net")).may_ask(host) is want


def test_every_host_may_be_asked_where_none_is_named() -> None:
    assert PUBLIC.may_ask("anything.net")
