"""Which addresses are connected to."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.fetching.addresses import closed


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("127.255.255.254", id="loopback, far end"),
        pytest.param("0.0.0.0", id="any address"),
        pytest.param("0.1.2.3", id="this network"),
        pytest.param("10.0.0.1", id="private 10"),
        pytest.param("172.16.0.1", id="private 172.16"),
        pytest.param("172.31.255.255", id="private 172.31"),
        pytest.param("192.168.1.1", id="private 192.168"),
        pytest.param("100.64.0.1", id="carrier NAT"),
        pytest.param("100.127.255.255", id="carrier NAT, far end"),
        pytest.param("169.254.169.254", id="metadata of most clouds"),
        pytest.param("100.100.100.200", id="metadata of Alibaba"),
        pytest.param("168.63.129.16", id="metadata of Azure"),
        pytest.param("192.0.0.192", id="metadata of Oracle"),
        pytest.param("192.0.2.1", id="documentation"),
        pytest.param("198.18.0.1", id="measurements"),
        pytest.param("224.0.0.1", id="multicast"),
        pytest.param("239.255.255.250", id="multicast, far end"),
        pytest.param("240.0.0.1", id="reserved"),
        pytest.param("255.255.255.255", id="broadcast"),
        pytest.param("::", id="any address of IPv6"),
        pytest.param("::1", id="loopback of IPv6"),
        pytest.param("fe80::1", id="link-local of IPv6"),
        pytest.param("fe80::1%eth0", id="link-local with its interface"),
        pytest.param("fec0::1", id="site-local"),
        pytest.param("fc00::1", id="unique local"),
        pytest.param("fd00:ec2::254", id="metadata of Amazon over IPv6"),
        pytest.param("ff02::1", id="multicast of IPv6"),
        pytest.param("100::1", id="discard"),
        pytest.param("2001:db8::1", id="documentation of IPv6"),
        pytest.param("3fff::1", id="new documentation of IPv6"),
        pytest.param("2001::1", id="Teredo"),
        pytest.param("5f00::1", id="segment routing"),
        pytest.param("::ffff:127.0.0.1", id="IPv4-mapped loopback"),
        pytest.param("::ffff:a9fe:a9fe", id="IPv4-mapped metadata"),
        pytest.param("::127.0.0.1", id="IPv4-compatible loopback"),
        pytest.param("64:ff9b::7f00:1", id="NAT64 of loopback"),
        pytest.param("64:ff9b::a9fe:a9fe", id="NAT64 of metadata"),
        pytest.param("64:ff9b:1::1", id="NAT64 of a private network"),
        pytest.param("2002:7f00:1::", id="6to4 of loopback"),
        pytest.param("2002:a9fe:a9fe::1", id="6to4 of metadata"),
        pytest.param("2a00:1450::5efe:10.0.0.1", id="ISATAP"),
        pytest.param("2a00:1450::200:5efe:8.8.8.8", id="ISATAP of a public address"),
        pytest.param("", id="nothing"),
        pytest.param("origin.example", id="a name"),
        pytest.param("127.1", id="half an address"),
    ],
)
def test_no_connection_is_made_to(address: str) -> None:
    assert closed(address)


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("8.8.8.8", id="IPv4"),
        pytest.param("100.63.255.255", id="before carrier NAT"),
        pytest.param("100.128.0.0", id="behind carrier NAT"),
        pytest.param("172.32.0.1", id="behind the private networks"),
        pytest.param("223.255.255.254", id="before multicast"),
        pytest.param("2a04:4e42::1", id="IPv6"),
        pytest.param("2606:4700::1", id="more IPv6"),
        pytest.param("64:ff9b::808:808", id="a public address behind the NAT64 of an IPv6 network"),
        pytest.param("::ffff:8.8.8.8", id="IPv4-mapped public address"),
    ],
)
def test_the_public_internet_is_open(address: str) -> None:
    assert closed(address) == ""


_FOUR = st.ip_addresses(v=4)


@given(_FOUR)
def test_what_python_takes_for_private_is_closed(address: ipaddress.IPv4Address) -> None:
    if address.is_private or address.is_multicast or address.is_reserved or not address.is_global:
        assert closed(str(address))


@given(st.ip_addresses(v=6))
def test_what_python_takes_for_private_is_closed_in_ipv6(address: ipaddress.IPv6Address) -> None:
    # Python calls the whole of 64:ff9b::/96 global, whatever it carries; that is looked at below.
    if not address.is_global or address.is_multicast:
        assert closed(str(address))


@given(_FOUR, st.integers(0, 2**80 - 1))
def test_an_address_that_carries_another_is_as_closed_as_that_one(carried: ipaddress.IPv4Address, rest: int) -> None:
    mapped = ipaddress.IPv6Address((0xFFFF << 32) | int(carried))
    nat64 = ipaddress.IPv6Address((0x64FF9B << 96) | int(carried))
    six_to_four = ipaddress.IPv6Address((0x2002 << 112) | (int(carried) << 80) | rest)
    assert closed(str(mapped)) == closed(str(nat64)) == closed(str(six_to_four)) == closed(str(carried))


@given(st.text(max_size=60))
def test_any_text_gets_a_verdict(text: str) -> None:
    assert isinstance(closed(text), str)
